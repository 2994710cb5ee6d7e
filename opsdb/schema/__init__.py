"""The reference of the schema: read from the models, and written as Markdown, JSON, Mermaid and SVG."""

from .reading import describe_schema

__all__ = ["describe_schema"]
