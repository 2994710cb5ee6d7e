"""What was made of what: the walk along runs, products, raw packages and their files, in one recursive query.

The walk visits every product and run once, so a cycle ends it as anything else does, and it stops at a limit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connections, router
from django.db.models import Model

LIMIT = 10_000

UPSTREAM = """
WITH RECURSIVE walk (product_id) AS (
    SELECT %(start)s::bigint
    UNION
    SELECT used.data_product_id FROM walk
    JOIN data_product AS made ON made.id = walk.product_id
    JOIN executed_reduction_step_input_product AS used ON used.run_id = made.run_id
), some_products AS MATERIALIZED (
    SELECT product_id AS id FROM walk LIMIT %(limit)s
), some_runs AS MATERIALIZED (
    SELECT DISTINCT run_id AS id FROM data_product WHERE id IN (SELECT id FROM some_products)
), package_uses AS MATERIALIZED (
    SELECT run_id AS run_id, raw_data_package_id AS package_id
    FROM executed_reduction_step_input_package WHERE run_id IN (SELECT id FROM some_runs)
    LIMIT %(limit)s
), some_files AS MATERIALIZED (
    SELECT id, relative_path, checksum, size_bytes, raw_data_package_id FROM raw_data_file
    WHERE raw_data_package_id IN (SELECT package_id FROM package_uses) LIMIT %(limit)s
)
"""
DOWNSTREAM = """
WITH RECURSIVE walk (run_id) AS (
    SELECT run_id FROM {link} WHERE {column} = %(start)s
    UNION
    SELECT used.run_id FROM walk
    JOIN data_product AS made ON made.run_id = walk.run_id
    JOIN executed_reduction_step_input_product AS used ON used.data_product_id = made.id
), some_runs AS MATERIALIZED (
    SELECT run_id AS id FROM walk LIMIT %(limit)s
), some_products AS MATERIALIZED (
    SELECT id FROM (
        {start}
        SELECT id FROM data_product WHERE run_id IN (SELECT id FROM some_runs)
    ) AS made LIMIT %(limit)s
), package_uses AS MATERIALIZED (
    SELECT run_id AS run_id, raw_data_package_id AS package_id
    FROM executed_reduction_step_input_package WHERE {packages}
), some_files AS MATERIALIZED (
    SELECT id, relative_path, checksum, size_bytes, raw_data_package_id FROM raw_data_file WHERE false
)
"""
NODES = """
SELECT 'products', to_jsonb(node) FROM (
    SELECT id, name, type, relative_path, checksum, run_id, superseded_by_id FROM data_product
    WHERE id IN (SELECT id FROM some_products)
) AS node
UNION ALL
SELECT 'runs', to_jsonb(node) FROM (
    SELECT run.id, run.status, run.sub_group_key, step.name AS step, pipeline.name AS pipeline,
        software.name AS software, version.version AS version
    FROM executed_reduction_step AS run
    JOIN reduction_step AS step ON step.id = run.step_id
    JOIN pipeline ON pipeline.id = step.pipeline_id
    JOIN reduction_software AS software ON software.id = step.software_id
    LEFT JOIN reduction_software_version AS version ON version.id = run.software_version_id
    WHERE run.id IN (SELECT id FROM some_runs)
) AS node
UNION ALL
SELECT 'product_uses', jsonb_build_array(run_id, data_product_id)
FROM executed_reduction_step_input_product
WHERE run_id IN (SELECT id FROM some_runs) AND data_product_id IN (SELECT id FROM some_products)
UNION ALL
SELECT 'package_uses', jsonb_build_array(run_id, package_id) FROM package_uses
UNION ALL
SELECT 'packages', to_jsonb(node) FROM (
    SELECT package.id, package.name, package.state, package.checksum, package.executed_obs_unit_id,
        module.name AS module
    FROM raw_data_package AS package JOIN instrument_module AS module ON module.id = package.instrument_module_id
    WHERE package.id IN (SELECT package_id FROM package_uses)
) AS node
UNION ALL
SELECT 'files', to_jsonb(some_files) FROM some_files
"""


@dataclass
class Lineage:
    """The inputs that a product or run was made from, or the products made from it.

    Attributes:
        root: table and key of what was asked about.
        products: facts of every product, by id; ``run_id`` is the run that made it.
        runs: facts of every run, by id; ``input_products`` and ``input_packages`` are the ids of what it read.
        packages: facts of every raw package, by id.
        files: facts of every raw file of these packages, by id; empty downstream.
        truncated: whether nodes were left out, because there were more than the limit.
    """

    root: str
    products: dict[int, dict[str, Any]] = field(default_factory=dict)
    runs: dict[int, dict[str, Any]] = field(default_factory=dict)
    packages: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    files: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    truncated: bool = False

    def lines(self) -> Iterator[str]:
        """Render it as text, one line for each run, product, package and input."""
        yield self.root
        for run in sorted(self.runs.values(), key=lambda run: -run["id"]):
            made = [product for product in self.products.values() if product["run_id"] == run["id"]]
            version = f" {run['version']}" if run["version"] else ""
            group = f" [{run['sub_group_key']}]" if run["sub_group_key"] else ""
            step = f"{run['pipeline']} / {run['step']}{group}"
            yield f"run {run['id']}: {step}, {run['software']}{version}, {run['status']}"
            yield from (f"  made data_product {product['id']}: {product['relative_path']}" for product in made)
            yield from (f"  of data_product {product}" for product in run["input_products"])
            yield from (f"  of raw_data_package {package}" for package in run["input_packages"])
        count: dict[UUID, int] = {}
        for file in self.files.values():
            count[file["raw_data_package_id"]] = count.get(file["raw_data_package_id"], 0) + 1
        for package in self.packages.values():
            files = f", {count[package['id']]} files" if package["id"] in count else ""
            yield f"raw_data_package {package['id']}: {package['name']}, {package['state']}{files}"
        if self.truncated:
            yield "… and more"


def lineage(product: Model, *, limit: int = LIMIT) -> Lineage:
    """Return what a product was made of, back to the raw packages and their files.

    Args:
        product: a data product.
        limit: how many products, uses of packages, and files at the most.
    """
    return _walk(product, UPSTREAM, limit)


def downstream(start: Model, *, limit: int = LIMIT) -> Lineage:
    """Return what was made of a product or a raw data package, directly or by way of other products.

    Args:
        start: a data product or a raw data package.
        limit: how many runs and products at the most.
    """
    if start._meta.db_table == "raw_data_package":
        query = DOWNSTREAM.format(
            link="executed_reduction_step_input_package",
            column="raw_data_package_id",
            start="",
            packages="run_id IN (SELECT id FROM some_runs) AND raw_data_package_id = %(start)s",
        )
    else:
        query = DOWNSTREAM.format(
            link="executed_reduction_step_input_product",
            column="data_product_id",
            start="SELECT %(start)s::bigint AS id UNION",
            packages="false",
        )
    return _walk(start, query, limit)


def _walk(start: Model, walk: str, limit: int) -> Lineage:
    found: dict[str, list[Any]] = {
        "products": [],
        "runs": [],
        "product_uses": [],
        "package_uses": [],
        "packages": [],
        "files": [],
    }
    with connections[router.db_for_read(type(start))].cursor() as cursor:
        cursor.execute(
            f"SELECT kind, node::text FROM ({walk} {NODES}) AS nodes (kind, node)",
            {"start": start.pk, "limit": limit + 1},
        )
        for kind, node in cursor.fetchall():
            found[kind].append(json.loads(node))
    truncated = any(len(nodes) > limit for nodes in found.values())
    result = Lineage(root=f"{start._meta.db_table} {start.pk}", truncated=truncated)
    for product in found["products"][:limit]:
        result.products[product["id"]] = product
    for run in found["runs"][:limit]:
        result.runs[run["id"]] = run | {"input_products": [], "input_packages": []}
    for package in found["packages"]:
        package["id"] = UUID(package["id"])
        result.packages[package["id"]] = package
    for file in found["files"][:limit]:
        file["id"], file["raw_data_package_id"] = UUID(file["id"]), UUID(file["raw_data_package_id"])
        result.files[file["id"]] = file
    for run, product in found["product_uses"]:
        if run in result.runs:
            result.runs[run]["input_products"].append(product)
    for run, package in found["package_uses"][:limit]:
        if run in result.runs:
            result.runs[run]["input_packages"].append(UUID(package))
    return result
