"""Output of commands: tables and progress bars on terminals, plain text elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.management.base import OutputWrapper

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Item = TypeVar("Item")

WIDTH_WITHOUT_TERMINAL = 140


def console(stream: OutputWrapper, *, no_color: bool = False, force_color: bool = False) -> Console:
    """Return a rich console that writes to a stream of a command.

    Args:
        stream: ``self.stdout`` or ``self.stderr`` of a command.
        no_color, force_color: the command's options of these names.
    """
    from rich.console import Console

    class CommandConsole(Console):
        def on_broken_pipe(self) -> None:
            raise  # the error that rich handles by this call; the command decides how it ends

    # The work is done: a terminal that lacks a character must not turn it into an error.
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace")
    terminal = stream.isatty()
    return CommandConsole(
        file=stream,
        force_terminal=True if force_color else None,
        no_color=no_color,
        width=None if terminal else WIDTH_WITHOUT_TERMINAL,
        highlight=False,
        soft_wrap=not terminal,
    )


def table(title: str, *columns: str, rows: Iterable[Sequence[Any]], zero: str = "0") -> Table:
    """Return a table whose first column is text and whose other columns are numbers, 0 shown as ``zero``."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    shown = Table(title=Text(title), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, show_edge=False)
    for position, column in enumerate(columns):
        shown.add_column(column, justify="right" if position else "left", no_wrap=True)
    for first, *numbers in rows:
        shown.add_row(Text(first), *(str(number) if number else zero for number in numbers))
    return shown


def progress(items: Collection[Item], description: str) -> Iterable[Item]:
    """Return a collection to iterate over, with a progress bar on standard error if that is a terminal.

    Args:
        items: the work.
        description: of the work.
    """
    from rich.console import Console
    from rich.progress import track

    # Not through a command's stderr, which ends every write with a line break.
    terminal = Console(stderr=True)
    if len(items) < 2 or not terminal.is_terminal:
        return items
    return track(items, description, console=terminal, transient=True)


def counting(items: Iterable[Item], description: str, unit: str) -> Iterator[Item]:
    """Iterate over a stream of unknown length, with a counter on standard error if that is a terminal.

    Args:
        items: any iterable; it is never held as a whole.
        description: of the work.
        unit: name of the items.
    """
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    terminal = Console(stderr=True)
    if not terminal.is_terminal:
        yield from items
        return
    counter = TextColumn("{task.description} {task.completed:,} {task.fields[unit]}")
    with Progress(SpinnerColumn(), counter, TimeElapsedColumn(), console=terminal, transient=True) as bar:
        task = bar.add_task(description, total=None, unit=unit)
        for number, item in enumerate(items, 1):
            if number % 500 == 0:
                bar.update(task, completed=number)
            yield item


def listing(title: str, *columns: str, rows: Iterable[Sequence[Any]]) -> Table:
    """Return a table of texts; a column is as wide as it needs, the last one breaks where the terminal ends."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    shown = Table(title=Text(title), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, show_edge=False)
    for column in columns:
        shown.add_column(column, no_wrap=column != columns[-1], overflow="fold")
    for row in rows:
        shown.add_row(*(Text("" if value is None else str(value)) for value in row))
    return shown
