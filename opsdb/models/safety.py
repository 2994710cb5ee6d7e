"""The rules of deletion and of verification, kept by triggers on the copies and on what they are copies of.

Bytes are deleted by workers, but only the database says which. Every message names the rule:

1. copies in a long-term archive are permanent;
2. a copy at a source or buffer goes only when every raw package that it stands for is archived and has enough
   verified copies in archives elsewhere; raw data at a processing location only when that holds or others can be read;
   the last copy of a data product that can be read only when the product is superseded and neither released nor
   published;
3. nothing that is open reads from it, and what it carries is unpacked;
4. at a processing location, no active staging job and no open run needs it;
5. the location's retention has passed, or it is too full, or an approved request says otherwise.

A copy that is missing already has no bytes to read or to keep, so that only rules 1 and 2 say whether its loss may be
called a deletion. Once a worker deletes, nothing holds back the report of how that ended.

Locks go in one order: copies, transfer packages, raw packages, raw files, products, each by their key.
"""

from django.db.models import F, Q

from .constraints import Check, Rule, immutable, in_list, refuse, refuse_if
from .enums import PhysicalCopyStatus, RunStatus, Status

READABLE = in_list(PhysicalCopyStatus.readable())
OPEN_WORK = in_list(Status.open())
OPEN_RUN = in_list(RunStatus.open())
STARTED_RUN = in_list([*(state for state in RunStatus.open() if state != RunStatus.PENDING), RunStatus.COMPLETED])
TOWARDS_DELETION = (
    "(NEW.status IN ('deletion_possible', 'deletion_scheduled', 'deletion_in_progress') "
    "OR (NEW.status = 'deleted' AND OLD.status <> 'deletion_in_progress'))"
)
DELETION_BLOCKER = "opsdb_deletion_blocker"


def _hold(rule, held_by, why):
    return f"rule = {rule};\nheld_by = {held_by};\nwhy = {why};\nRETURN;"


def _hold_if_blocked(rule, why):
    return f"IF held_by IS NOT NULL THEN\nrule = {rule};\nwhy = held_by || {why};\nRETURN;\nEND IF;"


# Which rule holds a copy back, by which row, and why; nothing when it may go. The trigger and people ask the same.
DELETION_BLOCKER_SQL = f"""
CREATE FUNCTION {DELETION_BLOCKER}(copy_id bigint, OUT rule integer, OUT held_by text, OUT why text)
LANGUAGE plpgsql STABLE COST 10000 AS $helper$
DECLARE
candidate record;
place record;
package record;
package_ids uuid[];
needed integer;
safe integer;
doubt text;
held numeric;
BEGIN
SELECT * INTO candidate FROM physical_copy WHERE id = copy_id;
SELECT * INTO place FROM data_location WHERE id = candidate.data_location_id;
IF place.location_type = 'long_term_archive' THEN
{_hold(1, "'data_location ' || place.id", "'copies in the long-term archive ' || place.name || ' are permanent'")}
END IF;
IF candidate.raw_data_package_id IS NOT NULL THEN
package_ids = ARRAY[candidate.raw_data_package_id];
ELSIF candidate.raw_data_file_id IS NOT NULL THEN
SELECT array_agg(raw_data_package_id) INTO package_ids FROM raw_data_file
WHERE id = candidate.raw_data_file_id AND raw_data_package_id IS NOT NULL;
ELSIF candidate.data_transfer_package_id IS NOT NULL THEN
SELECT array_agg(id) INTO package_ids FROM raw_data_package
WHERE data_transfer_package_id = candidate.data_transfer_package_id;
END IF;
IF candidate.data_product_id IS NOT NULL AND NOT EXISTS (SELECT FROM physical_copy AS other
WHERE other.data_product_id = candidate.data_product_id AND other.data_location_id <> place.id
AND other.status IN {READABLE} AND other.verification <> 'mismatch') THEN
SELECT 'data_product ' || product.id || ' has no other copy that can be read, and ' || CASE
WHEN product.superseded_by_id IS NULL THEN 'nothing supersedes it'
WHEN EXISTS (SELECT FROM data_release_products WHERE dataproduct_id = product.id)
THEN 'data_release ' || (SELECT min(datarelease_id) FROM data_release_products WHERE dataproduct_id = product.id)
|| ' holds it'
WHEN EXISTS (SELECT FROM publication_products WHERE dataproduct_id = product.id)
THEN 'publication ' || (SELECT min(publication_id) FROM publication_products WHERE dataproduct_id = product.id)
|| ' uses it'
END INTO doubt FROM data_product AS product WHERE product.id = candidate.data_product_id;
IF doubt IS NOT NULL THEN
{_hold(2, "'data_product ' || candidate.data_product_id", "doubt")}
END IF;
END IF;
IF package_ids IS NULL AND candidate.data_product_id IS NULL THEN
held_by = CASE WHEN candidate.raw_data_file_id IS NOT NULL THEN 'raw_data_file ' || candidate.raw_data_file_id
ELSE 'data_transfer_package ' || candidate.data_transfer_package_id END;
IF place.location_type <> 'processing' OR NOT EXISTS (SELECT FROM physical_copy AS other
WHERE other.raw_data_file_id = candidate.raw_data_file_id AND other.data_location_id <> place.id
AND other.status IN {READABLE} AND other.verification <> 'mismatch') THEN
rule = 2;
why = held_by || ' is in no raw data package that could be safe in an archive';
RETURN;
END IF;
held_by = NULL;
END IF;
SELECT coalesce(max(min_archive_copies), 1) INTO needed FROM deletion_policy;
FOR package IN SELECT * FROM raw_data_package WHERE id = ANY (package_ids) ORDER BY id LOOP
doubt = NULL;
IF package.state <> 'archived' THEN
doubt = 'raw_data_package ' || package.id || ' is ' || package.state || ', not archived';
ELSE
SELECT count(*) INTO safe FROM physical_copy AS archived
JOIN data_location ON data_location.id = archived.data_location_id
WHERE archived.raw_data_package_id = package.id
AND data_location.location_type = 'long_term_archive'
AND archived.status = 'present' AND archived.verification = 'verified'
AND archived.checksum = package.checksum AND archived.checksum_algorithm = package.checksum_algorithm;
IF safe < needed THEN
doubt = 'raw_data_package ' || package.id || ' has ' || safe
|| ' verified archive copies elsewhere, and needs ' || needed;
END IF;
END IF;
IF doubt IS NOT NULL AND place.location_type = 'processing' AND (
EXISTS (SELECT FROM physical_copy AS other WHERE other.raw_data_package_id = package.id
AND other.data_location_id <> place.id AND other.status IN {READABLE} AND other.verification <> 'mismatch')
OR EXISTS (SELECT FROM physical_copy AS other WHERE other.raw_data_file_id = candidate.raw_data_file_id
AND other.data_location_id <> place.id AND other.status IN {READABLE} AND other.verification <> 'mismatch')
OR EXISTS (SELECT FROM physical_copy AS other
WHERE other.data_transfer_package_id = candidate.data_transfer_package_id
AND other.data_location_id <> place.id AND other.status IN {READABLE} AND other.verification <> 'mismatch')) THEN
doubt = NULL;
END IF;
IF doubt IS NOT NULL THEN
{_hold(2, "'raw_data_package ' || package.id", "doubt")}
END IF;
END LOOP;
IF candidate.status = 'missing' THEN
RETURN;
END IF;
IF candidate.data_transfer_package_id IS NOT NULL THEN
SELECT 'data_transfer ' || id INTO held_by FROM data_transfer
WHERE data_transfer_package_id = candidate.data_transfer_package_id AND origin_location_id = place.id
AND status IN {OPEN_WORK} ORDER BY id LIMIT 1;
{_hold_if_blocked(3, "' still needs it'")}
SELECT 'data_transfer ' || id INTO held_by FROM data_transfer
WHERE data_transfer_package_id = candidate.data_transfer_package_id AND destination_location_id = place.id
AND status <> 'failed' AND unpack_status <> 'completed' ORDER BY id LIMIT 1;
{_hold_if_blocked(3, "' has not been unpacked and still needs it'")}
END IF;
IF candidate.raw_data_package_id IS NOT NULL THEN
SELECT 'long_term_archive_transfer ' || id INTO held_by FROM long_term_archive_transfer
WHERE raw_data_package_id = candidate.raw_data_package_id AND status IN {OPEN_WORK}
AND coalesce(origin_location_id, place.id) = place.id ORDER BY id LIMIT 1;
{_hold_if_blocked(3, "' still needs it'")}
SELECT 'data_transfer_package ' || bundle.id INTO held_by FROM data_transfer_package AS bundle
JOIN raw_data_package ON raw_data_package.data_transfer_package_id = bundle.id
WHERE raw_data_package.id = candidate.raw_data_package_id AND bundle.status IN {OPEN_WORK}
AND bundle.origin_location_id = place.id;
{_hold_if_blocked(3, "' still needs it'")}
SELECT 'staging_job ' || job.id INTO held_by FROM staging_job_raw_data_packages AS staged
JOIN staging_job AS job ON job.id = staged.stagingjob_id
WHERE staged.rawdatapackage_id = candidate.raw_data_package_id AND job.status IN {OPEN_WORK}
ORDER BY job.id LIMIT 1;
{_hold_if_blocked(3, "' still needs it'")}
END IF;
IF candidate.data_product_id IS NOT NULL THEN
SELECT 'staging_job ' || job.id INTO held_by FROM staging_job_data_products AS staged
JOIN staging_job AS job ON job.id = staged.stagingjob_id
WHERE staged.dataproduct_id = candidate.data_product_id AND job.status IN {OPEN_WORK} ORDER BY job.id LIMIT 1;
{_hold_if_blocked(3, "' still needs it'")}
END IF;
IF place.location_type = 'processing' THEN
SELECT 'staging_job ' || job.id INTO held_by FROM staging_job_raw_data_packages AS staged
JOIN staging_job AS job ON job.id = staged.stagingjob_id
WHERE staged.rawdatapackage_id = ANY (package_ids) AND job.active AND job.destination_location_id = place.id
ORDER BY job.id LIMIT 1;
{_hold_if_blocked(4, "' still needs it there'")}
SELECT 'staging_job ' || job.id INTO held_by FROM staging_job_data_products AS staged
JOIN staging_job AS job ON job.id = staged.stagingjob_id
WHERE staged.dataproduct_id = candidate.data_product_id AND job.active AND job.destination_location_id = place.id
ORDER BY job.id LIMIT 1;
{_hold_if_blocked(4, "' still needs it there'")}
SELECT 'executed_reduction_step ' || run.id INTO held_by FROM executed_reduction_step_input_package AS input
JOIN executed_reduction_step AS run ON run.id = input.run_id
WHERE input.raw_data_package_id = ANY (package_ids) AND run.status IN {OPEN_RUN} ORDER BY run.id LIMIT 1;
{_hold_if_blocked(4, "' still needs it there'")}
SELECT 'executed_reduction_step ' || run.id INTO held_by FROM executed_reduction_step_input_product AS input
JOIN executed_reduction_step AS run ON run.id = input.run_id
WHERE input.data_product_id = candidate.data_product_id AND run.status IN {OPEN_RUN} ORDER BY run.id LIMIT 1;
{_hold_if_blocked(4, "' still needs it there'")}
END IF;
IF candidate.arrived_at + make_interval(days => place.retention_days) <= statement_timestamp() THEN
RETURN;
END IF;
IF EXISTS (SELECT FROM deletion_request_item AS item JOIN deletion_request AS request
ON request.id = item.deletion_request_id WHERE item.physical_copy_id = candidate.id AND request.overrides_retention
AND (request.status = 'approved' OR (request.status = 'executed'
AND candidate.status IN ('deletion_scheduled', 'deletion_failed')))) THEN
RETURN;
END IF;
IF place.capacity_bytes IS NOT NULL AND place.deletion_threshold_percent IS NOT NULL THEN
SELECT coalesce(sum(bytes), 0) INTO held FROM data_location_usage WHERE data_location_id = place.id;
IF held * 100 > place.capacity_bytes * place.deletion_threshold_percent::numeric THEN
RETURN;
END IF;
END IF;
{
    _hold(
        5,
        "'data_location ' || place.id",
        "CASE WHEN place.retention_days IS NULL THEN 'location ' || place.name || ' keeps its data' "
        "ELSE 'the retention of ' || place.retention_days || ' days at location ' || place.name "
        "|| ' has not passed' END || ', it is not over its fill threshold, and no approved request overrides that'",
    )
}
END
$helper$""".strip()


def _lock_things(row, strength):
    """PL/pgSQL that locks what a copy stands for, in the order of this module."""
    return f"""
IF {row}.data_transfer_package_id IS NOT NULL THEN
PERFORM FROM data_transfer_package WHERE id = {row}.data_transfer_package_id {strength};
PERFORM FROM raw_data_package WHERE data_transfer_package_id = {row}.data_transfer_package_id ORDER BY id {strength};
ELSIF {row}.raw_data_package_id IS NOT NULL THEN
PERFORM FROM raw_data_package WHERE id = {row}.raw_data_package_id {strength};
ELSIF {row}.raw_data_file_id IS NOT NULL THEN
PERFORM FROM raw_data_package WHERE id = (SELECT raw_data_package_id FROM raw_data_file
WHERE id = {row}.raw_data_file_id) {strength};
IF NOT FOUND THEN
PERFORM FROM raw_data_file WHERE id = {row}.raw_data_file_id {strength};
END IF;
ELSE
PERFORM FROM data_product WHERE id = {row}.data_product_id {strength};
END IF;
""".strip()


def deletion_is_safe():
    """Refuse a copy's way towards deletion while one of the five rules holds it back.

    Locks what the copy stands for first, so that nothing makes its other copies doubtful or begins to read it
    meanwhile, and then looks at what is true now. A transaction that sees the past would not.
    """
    return Rule(
        name="deletion_is_safe",
        events="UPDATE OF status",
        when=f"OLD.status IS DISTINCT FROM NEW.status AND {TOWARDS_DELETION}",
        declare="blocker record;",
        helper=(f"{DELETION_BLOCKER}(bigint)", DELETION_BLOCKER_SQL),
        body=f"""
IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
{
            refuse(
                "'physical_copy ' || OLD.id || ': a ' || current_setting('transaction_isolation') "
                "|| ' transaction does not see what has become doubtful meanwhile'",
                "Delete in a READ COMMITTED transaction.",
            )
        }
END IF;
{_lock_things("NEW", "FOR UPDATE")}
SELECT * INTO blocker FROM {DELETION_BLOCKER}(OLD.id);
""".lstrip()
        + refuse_if(
            "blocker.rule IS NOT NULL",
            "'physical_copy ' || OLD.id || ': deletion rule ' || blocker.rule || ': ' || blocker.why",
        ),
    )


def born_present():
    """Refuse a new copy in any state but present or staged: workers act on what the states say."""
    return Rule(
        name="born_present",
        events="INSERT",
        when="NEW.status NOT IN ('present', 'staged')",
        body=refuse(
            "'physical_copy ' || NEW.id || ': a new copy is present or staged, not ' || NEW.status",
            "Register the copy as present; it takes its way from there.",
        ),
    )


def _marked(copies):
    return f"UPDATE physical_copy SET deletion_candidate = true WHERE NOT deletion_candidate AND {copies};"


def candidates_are_marked():
    """Mark the copies of what an archive has got: only among them are those that rule 2 lets go.

    Without the mark, whoever looks for copies to delete passes by every copy that still waits for its archive. A copy
    is marked by the package that turns archived (see :func:`archived_marks_candidates`) or, of what is archived
    already, when it is made. Data products wait for no archive. A new copy that says what it is, as those of new files
    do, is believed: the mark only says where to look, and the rules decide.
    """
    return [
        Rule(
            name="candidate_when_made",
            events="INSERT",
            when="NEW.deletion_candidate IS NULL",
            body="""
IF NEW.data_product_id IS NOT NULL THEN
NEW.deletion_candidate = true;
ELSE
PERFORM FROM raw_data_package WHERE id = NEW.raw_data_package_id
OR id = (SELECT raw_data_package_id FROM raw_data_file WHERE id = NEW.raw_data_file_id)
OR data_transfer_package_id = NEW.data_transfer_package_id ORDER BY id FOR SHARE;
NEW.deletion_candidate = EXISTS (SELECT FROM raw_data_package WHERE state = 'archived'
AND (id = NEW.raw_data_package_id
OR id = (SELECT raw_data_package_id FROM raw_data_file WHERE id = NEW.raw_data_file_id)
OR data_transfer_package_id = NEW.data_transfer_package_id));
END IF;
RETURN NEW;""".strip(),
        ),
        Rule(
            name="candidate_stays",
            events="UPDATE OF deletion_candidate",
            when="OLD.deletion_candidate AND NEW.deletion_candidate IS DISTINCT FROM true",
            body="NEW.deletion_candidate = true;\nRETURN NEW;",
        ),
    ]


def archived_marks_candidates():
    """Mark the copies of a package that turns archived, of its files, and of the bundle that it came in."""
    return Rule(
        name="archived_marks_candidates",
        timing="AFTER",
        events="UPDATE OF state",
        when="OLD.state <> 'archived' AND NEW.state = 'archived'",
        body="\n".join(
            (
                _marked("raw_data_file_id IN (SELECT id FROM raw_data_file WHERE raw_data_package_id = NEW.id)"),
                _marked("raw_data_package_id = NEW.id"),
                _marked("data_transfer_package_id = NEW.data_transfer_package_id"),
                "RETURN NULL;",
            )
        ),
    )


def arrival_is_true():
    """Keep when the bytes arrived, from which the retention counts; what has come back is not verified any more."""
    return [
        Rule(
            name="arrives_now",
            events="INSERT",
            when="NEW.arrived_at <> statement_timestamp()",
            body="NEW.arrived_at = statement_timestamp();\nRETURN NEW;",
        ),
        Rule(
            name="arrival_stays",
            events="UPDATE",
            when="OLD.arrived_at <> NEW.arrived_at",
            body="NEW.arrived_at = OLD.arrived_at;\nRETURN NEW;",
        ),
        Rule(
            name="comes_back",
            events="UPDATE OF status",
            when="OLD.status IN ('deleted', 'missing', 'corrupt') AND NEW.status IN ('present', 'staged')",
            body="""
IF OLD.status <> 'corrupt' THEN
NEW.arrived_at = statement_timestamp();
END IF;
IF NEW.verification = 'verified' AND NEW.verified_at IS NOT DISTINCT FROM OLD.verified_at THEN
NEW.verification = 'unverified';
END IF;
RETURN NEW;""".strip(),
        ),
    ]


def verification_is_true():
    """Refuse to call a copy verified whose checksum or size is not that of the thing it is a copy of.

    A copy that is verified later, or again, needs a fixity check that says so. Locks the thing, so that its
    checksum stays as it is, and waits for a deletion that counts this copy.
    """
    facts = "checksum, checksum_algorithm, size_bytes"
    same_row = {
        "raw_data_file": "IF NEW.raw_data_file_id IS NOT NULL THEN",
        "raw_data_package": "ELSIF NEW.raw_data_package_id IS NOT NULL THEN",
        "data_transfer_package": "ELSIF NEW.data_transfer_package_id IS NOT NULL THEN",
        "data_product": "ELSE",
    }
    look_up = "\n".join(
        f"{branch}\nSELECT {facts} INTO wanted FROM {table} WHERE id = NEW.{table}_id FOR NO KEY UPDATE;"
        for table, branch in same_row.items()
    )
    return [
        Rule(
            name="verification_is_true",
            events=f"INSERT OR UPDATE OF verification, {facts}",
            when="NEW.verification = 'verified'",
            declare="wanted record;",
            body=f"{look_up}\nEND IF;\n"
            + refuse_if(
                "wanted.checksum IS DISTINCT FROM NEW.checksum OR wanted.checksum_algorithm <> NEW.checksum_algorithm "
                "OR NEW.size_bytes <> wanted.size_bytes",
                "'physical_copy ' || NEW.id || ': cannot be verified, because its checksum ' || NEW.checksum_algorithm "
                "|| ' ' || coalesce(NEW.checksum, 'none') || coalesce(' of ' || NEW.size_bytes || ' bytes', '') "
                "|| ' is not ' || wanted.checksum_algorithm || ' ' || coalesce(wanted.checksum, 'none') "
                "|| coalesce(' of ' || wanted.size_bytes || ' bytes', '')",
                "Record what was found as a mismatch.",
            ),
        ),
        Rule(
            name="verification_is_proven",
            events="UPDATE OF verification, verified_at",
            when=(
                "NEW.verification = 'verified' "
                "AND (OLD.verification <> 'verified' OR OLD.verified_at IS DISTINCT FROM NEW.verified_at)"
            ),
            body=refuse_if(
                "NEW.verified_at <= OLD.verified_at OR NOT EXISTS (SELECT FROM fixity_check\n"
                "WHERE copy_id = NEW.id AND ok AND checked_at = NEW.verified_at\n"
                "AND actual = NEW.checksum AND algorithm = NEW.checksum_algorithm)",
                "'physical_copy ' || NEW.id || ': cannot be called verified at ' "
                "|| coalesce(NEW.verified_at::text, 'no time') "
                "|| ' without a new fixity check of that time that agrees'",
                "Record the fixity check first.",
            ),
        ),
    ]


def doubt_waits_for_deletion():
    """Make the fall of a copy that others count on wait for a deletion that counts on it, and the other way round."""
    return Rule(
        name="doubt_waits_for_deletion",
        events="UPDATE OF status, verification",
        when=(
            f"(OLD.status IN {READABLE} AND NEW.status IN ('missing', 'corrupt')) "
            "OR (OLD.verification = 'verified' AND NEW.verification <> 'verified') "
            "OR (OLD.verification <> 'mismatch' AND NEW.verification = 'mismatch')"
        ),
        body=f"{_lock_things('OLD', 'FOR NO KEY UPDATE')}\nRETURN NEW;",
    )


def _has_verified_archive_copy(package, location=""):
    return (
        "EXISTS (SELECT FROM physical_copy AS archived\n"
        "JOIN data_location ON data_location.id = archived.data_location_id\n"
        "JOIN raw_data_package AS package ON package.id = archived.raw_data_package_id\n"
        f"WHERE package.id = {package} AND data_location.location_type = 'long_term_archive' {location}\n"
        "AND archived.status = 'present' AND archived.verification = 'verified'\n"
        "AND archived.checksum = package.checksum AND archived.checksum_algorithm = package.checksum_algorithm)"
    )


def archived_is_true():
    """Refuse to call a package archived without a verified copy in an archive."""
    return Rule(
        name="archived_is_true",
        timing="AFTER",
        events="INSERT OR UPDATE OF state",
        when="NEW.state = 'archived'",
        body=refuse_if(
            f"NOT {_has_verified_archive_copy('NEW.id')}",
            "'raw_data_package ' || NEW.id || ': cannot be archived without a verified copy in a long-term archive'",
            returns="NULL",
        ),
    )


def archive_transfer_is_true():
    """Refuse to complete an archive transfer without the verified copy that it is for."""
    return Rule(
        name="completed_is_true",
        events="INSERT OR UPDATE OF status",
        when="NEW.status = 'completed'",
        body=refuse_if(
            "NOT "
            + _has_verified_archive_copy(
                "NEW.raw_data_package_id", "AND archived.data_location_id = NEW.destination_location_id"
            ),
            "'long_term_archive_transfer ' || NEW.id || ': cannot be completed without a verified copy "
            "at its destination'",
        ),
    )


def contents_are_closed(name, container, made):
    """Refuse to put anything into a container that was made, or to take it out: its bytes hold what they hold.

    Locks the container, so that it isn't made meanwhile.

    Args:
        name: beginning of the names of the rules.
        container: the reference and the table of the container.
        made: condition on the container's row that says that it was made.
    """
    column = f"{container}_id"
    refused = (
        "FOUND",
        f"TG_TABLE_NAME || ' ' || NEW.id || ': cannot enter or leave {container} ' || made || ', which has been made'",
    )
    look = "SELECT id INTO made FROM {table} WHERE id {which} AND ({made}) ORDER BY id LIMIT 1;\n"
    lock = "PERFORM FROM {table} WHERE id {which} ORDER BY id FOR NO KEY UPDATE;\n"
    parts = {
        "entered": ("INSERT", f"NEW.{column} IS NOT NULL", f"= NEW.{column}"),
        "still_open": (
            f"UPDATE OF {column}",
            f"OLD.{column} IS DISTINCT FROM NEW.{column}",
            f"IN (OLD.{column}, NEW.{column})",
        ),
    }
    return [
        Rule(
            name=f"{name}_{part}",
            events=events,
            when=when,
            declare="made text;",
            body=(lock + look).format(table=container, which=which, made=made) + refuse_if(*refused),
        )
        for part, (events, when, which) in parts.items()
    ]


def transfer_reads_what_stays(thing):
    """Make a transfer that is planned, or tried again, wait for a deletion of what it reads, and see it.

    Args:
        thing: the reference to what is transferred, and its table.
    """
    look = f"PERFORM FROM {thing} WHERE id = NEW.{thing}_id FOR KEY SHARE;\n" + refuse_if(
        f"EXISTS (SELECT FROM physical_copy WHERE {thing}_id = NEW.{thing}_id\n"
        "AND data_location_id = NEW.origin_location_id AND status = 'deletion_in_progress')",
        f"TG_TABLE_NAME || ' ' || NEW.id || ': the copy of {thing} ' || NEW.{thing}_id "
        "|| ' that it would read is being deleted'",
        "Read it from another location.",
    )
    return [
        Rule(name="reads_what_stays", events="INSERT", when=f"NEW.status IN {OPEN_WORK}", body=look),
        Rule(
            name="again_reads_what_stays",
            events="UPDATE OF status",
            when=f"OLD.status = 'failed' AND NEW.status IN {OPEN_WORK}",
            body=look,
        ),
    ]


def _link_waits(name, link, other, other_id=None):
    """Make a link that holds copies back wait for a deletion of them; the deletion's next step sees it."""
    other_id = other_id or f"{other.replace('_', '')}_id"
    return Rule(
        name=name,
        table=link,
        events="INSERT",
        body=f"PERFORM FROM {other} WHERE id = NEW.{other_id} FOR KEY SHARE;\nRETURN NEW;",
    )


def links_stay(name, link, owner, other, held, why, hint, owner_id=None, other_id=None):
    """Refuse to take a link from its owner while the owner's state says that it is needed.

    Args:
        name: of the rule.
        link: table of the links.
        owner: table of the owner.
        other: table of what is linked.
        held: condition on the owner's row that holds its links.
        why: what the message says after the row.
        hint: what would be right.
        owner_id, other_id: the link's columns, if not those that Django gives a table of its own making.
    """
    owner_id = f"OLD.{owner_id or owner.replace('_', '') + '_id'}"
    other_id = f"OLD.{other_id or other.replace('_', '') + '_id'}"
    return Rule(
        name=name,
        table=link,
        events="UPDATE OR DELETE",
        body=refuse_if(
            f"EXISTS (SELECT FROM {owner} WHERE id = {owner_id} AND {held})",
            f"'{owner} ' || {owner_id} || ': {other} ' || {other_id} || ' cannot be taken from it {why}'",
            hint,
            returns="coalesce(NEW, OLD)",
        ),
    )


def publishing_waits(link):
    """Make the release or publication of a product wait for a deletion of its copies; the deletion's next step sees it.

    Args:
        link: the table that links products to what holds them.
    """
    return _link_waits("products_wait", link, "data_product")


def hops_in_turn():
    """Refuse to begin a hop of a relay before the one that it depends on is completed, and a circle of hops."""
    return [
        Rule(
            name="waits_for_hop",
            events="INSERT OR UPDATE OF status, depends_on_id",
            when="NEW.depends_on_id IS NOT NULL AND NEW.status IN ('in_progress', 'completed')",
            declare="state text;",
            body="SELECT status INTO state FROM data_transfer WHERE id = NEW.depends_on_id FOR SHARE;\n"
            + refuse_if(
                "state <> 'completed'",
                "'data_transfer ' || NEW.id || ': cannot be ' || NEW.status || ' before data_transfer ' "
                "|| NEW.depends_on_id || ', the hop before it, which is ' || state",
                "Complete that hop first.",
            ),
        ),
        Rule(
            name="hop_stays",
            events="UPDATE OF depends_on_id",
            when="OLD.depends_on_id IS NOT NULL AND OLD.depends_on_id IS DISTINCT FROM NEW.depends_on_id",
            body=refuse(
                "'data_transfer ' || OLD.id || ': depends_on_id cannot be changed once set'", "Plan another transfer."
            ),
        ),
        Check(
            "depends_on_is_older",
            Q(depends_on__lt=F("id")),
            "A hop depends on one that was planned before it.",
            "depends_on",
        ),
    ]


def staged_data_stay():
    """Keep what an active staging job needs: its links hold back deletions."""
    rules = []
    for things, table in (("raw_data_packages", "raw_data_package"), ("data_products", "data_product")):
        link, why, hint = f"staging_job_{things}", "while its data are needed", "Make the job inactive first."
        rules.append(_link_waits(f"{things}_wait", link, table))
        rules.append(links_stay(f"{things}_stay", link, "staging_job", table, "active", why, hint))
    return rules


def inputs_stay():
    """Keep what a run reads or has read: it holds back deletions, and products are traced along it."""
    rules = []
    for things, thing, table in (
        ("input_packages", "input_package", "raw_data_package"),
        ("input_products", "input_product", "data_product"),
    ):
        link, held = f"executed_reduction_step_{thing}", f"status IN {STARTED_RUN}"
        why, hint, other_id = "once it has begun", "Make another run.", f"{table}_id"
        rules.append(_link_waits(f"{things}_wait", link, table, other_id))
        rules.append(
            links_stay(f"{things}_stay", link, "executed_reduction_step", table, held, why, hint, "run_id", other_id)
        )
    return rules


def superseded_in_line():
    """Refuse a product that would, by way of others, supersede itself. Locks those that supersede it."""
    return Rule(
        name="superseded_in_line",
        events="INSERT OR UPDATE OF superseded_by_id",
        when="NEW.superseded_by_id IS NOT NULL AND NEW.superseded_by_id <> NEW.id",
        declare="later bigint := NEW.superseded_by_id; latest bigint;",
        body=f"""
WHILE later IS NOT NULL LOOP
latest = later;
SELECT superseded_by_id INTO later FROM data_product WHERE id = latest FOR NO KEY UPDATE;
IF later = NEW.id THEN
{
            refuse(
                "'data_product ' || NEW.id || ': would supersede itself, by way of data_product ' || latest",
                "Name a product that it does not supersede.",
            )
        }
END IF;
END LOOP;
RETURN NEW;""".strip(),
    )


def what_ran_stays():
    """Refuse to rewrite what a completed run was."""
    return Rule(
        name="what_ran_stays",
        events="UPDATE",
        when=(
            "OLD.status = 'completed' AND (OLD.software_version_id IS DISTINCT FROM NEW.software_version_id "
            "OR OLD.sub_group_key <> NEW.sub_group_key)"
        ),
        body=refuse(
            "'executed_reduction_step ' || OLD.id || ': software_version_id, sub_group_key cannot be changed, "
            "because the run is completed'"
        ),
    )


def decision_of_another():
    """Keep a request for deletion as it was asked for, approved by another person, and executed."""
    terms = ("reason", "limit", "overrides_retention")
    terms_differ = " OR ".join(f'OLD."{term}" IS DISTINCT FROM NEW."{term}"' for term in terms)
    return [
        Rule(
            name="born_requested",
            events="INSERT",
            when="NEW.status <> 'requested' OR NEW.approved_by_id IS NOT NULL",
            body=refuse(
                "'deletion_request ' || NEW.id || ': a new request is requested and not decided, not ' || NEW.status",
                "Another person decides it then.",
            ),
        ),
        Rule(
            name="terms_stay",
            events="UPDATE",
            when=f"({terms_differ}) AND (OLD.status <> 'requested' OR NEW.status <> 'requested')",
            body=refuse(
                f"'deletion_request ' || OLD.id || ': {', '.join(terms)} cannot be changed once it is decided'",
                "Make a new request.",
            ),
        ),
        Rule(
            name="decision_stays",
            events="UPDATE",
            when=(
                "(OLD.approved_by_id IS DISTINCT FROM NEW.approved_by_id "
                "OR OLD.decided_at IS DISTINCT FROM NEW.decided_at) "
                "AND (OLD.status = NEW.status OR NEW.status NOT IN ('approved', 'rejected'))"
            ),
            body=refuse(
                "'deletion_request ' || OLD.id || ': who decided it, and when, is set with the decision alone'",
                "Approve or reject it.",
            ),
        ),
        Rule(
            name="decided_in_person",
            events="UPDATE",
            when="OLD.status <> NEW.status AND NEW.status IN ('approved', 'rejected')",
            declare="actor text := nullif(current_setting('opsdb.user_id', true), '');",
            body=refuse_if(
                "actor <> NEW.approved_by_id::text",
                "'deletion_request ' || OLD.id || ': user ' || actor || ' cannot decide it in the name of user ' "
                "|| NEW.approved_by_id",
            ),
        ),
        Rule(
            name="stays_after_decision",
            events="DELETE",
            when="OLD.status <> 'requested'",
            body=refuse(
                "'deletion_request ' || OLD.id || ': is ' || OLD.status || ', and what was decided is never deleted'"
            ),
        ),
    ]


def items_stay():
    """Keep the items of a request once it is decided, and their number within its limit."""
    too_many = refuse(
        "'deletion_request ' || request.id || ': has ' || number || ' copies, and its limit is ' || request.\"limit\""
    )
    return [
        Rule(
            name="within_limit",
            timing="AFTER",
            events="INSERT",
            level="STATEMENT",
            referencing="NEW TABLE AS added",
            declare="request record; number bigint;",
            body=f"""
FOR request IN SELECT * FROM deletion_request
WHERE id IN (SELECT deletion_request_id FROM added) ORDER BY id FOR UPDATE LOOP
IF request.status <> 'requested' THEN
{
                refuse(
                    "'deletion_request ' || request.id || ': is ' || request.status || ', no copy can be added to it'",
                    "Make a new request.",
                )
            }
END IF;
SELECT count(*) INTO number FROM deletion_request_item WHERE deletion_request_id = request.id;
IF number > request."limit" THEN
{too_many}
END IF;
END LOOP;
RETURN NULL;""".strip(),
        ),
        immutable("deletion_request_id", "physical_copy_id"),
        Rule(
            name="stays_after_decision",
            events="DELETE",
            declare="state text;",
            body="SELECT status INTO state FROM deletion_request WHERE id = OLD.deletion_request_id FOR UPDATE;\n"
            + refuse_if(
                "state <> 'requested'",
                "'deletion_request ' || OLD.deletion_request_id || ': is ' || state || ', physical_copy ' "
                "|| OLD.physical_copy_id || ' cannot be taken from it'",
                "Reject it, and make a new request.",
                returns="OLD",
            ),
        ),
    ]


def usage_counted():
    """Note what every statement adds to or takes from a location, so that its fill level is a short sum.

    Now and then the notes of a location are folded into one; notes that others are folding are left to them.
    """
    change = """
INSERT INTO data_location_usage (data_location_id, copies, bytes)
SELECT data_location_id, sum(copies), sum(bytes) FROM ({parts}) AS part
GROUP BY data_location_id HAVING sum(copies) <> 0 OR sum(bytes) <> 0;
IF FOUND AND random() < 0.02 AND current_setting('transaction_isolation') = 'read committed' THEN
WITH folded AS (DELETE FROM data_location_usage WHERE id IN (SELECT id FROM data_location_usage
WHERE data_location_id IN (SELECT data_location_id FROM new_rows) ORDER BY id FOR UPDATE SKIP LOCKED)
RETURNING data_location_id, copies, bytes)
INSERT INTO data_location_usage (data_location_id, copies, bytes)
SELECT data_location_id, sum(copies), sum(bytes) FROM folded GROUP BY data_location_id;
END IF;
RETURN NULL;""".strip()
    counted = (
        "SELECT data_location_id, {sign}1 AS copies, {sign}coalesce(size_bytes, 0) AS bytes FROM {table}_rows "
        "WHERE status NOT IN ('deleted', 'missing')"
    )
    added, removed = counted.format(sign="", table="new"), counted.format(sign="-", table="old")
    return [
        Rule(
            name="usage_of_inserts",
            timing="AFTER",
            events="INSERT",
            level="STATEMENT",
            referencing="NEW TABLE AS new_rows",
            body=change.format(parts=added),
        ),
        Rule(
            name="usage_of_updates",
            timing="AFTER",
            events="UPDATE",
            level="STATEMENT",
            referencing="OLD TABLE AS old_rows NEW TABLE AS new_rows",
            body=change.format(parts=f"{added} UNION ALL {removed}"),
        ),
    ]
