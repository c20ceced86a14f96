"""Sessions for the schema tests: one set of clusters a module, an actor for each writing session."""
import contextlib
import uuid

import psycopg2.extras

psycopg2.extras.register_uuid()


@contextlib.contextmanager
def session(clusters, name, role, actor="user:test", request="req-1"):
    """A cursor of one login; in core with an actor and a request, as the daemon sets them."""
    db = clusters.connect(name, role)
    try:
        with db.cursor() as cur:
            if actor:
                cur.execute("SELECT set_config('bimodal.actor', %s, false),"
                            " set_config('bimodal.request', %s, false)", (actor, request))
            yield cur
    finally:
        db.close()


def person(cur, **values):
    """Inserts a person, returns (id, pseudonym)."""
    values = {"given_name": "Ada", "family_name": "Example", "country": "AT", **values}
    cur.execute(f"INSERT INTO crm.person ({', '.join(values)})"
                f" VALUES ({', '.join(['%s'] * len(values))}) RETURNING id, pseudonym",
                list(values.values()))
    return cur.fetchone()


def insert(cur, table, **values):
    cur.execute(f"INSERT INTO {table} ({', '.join(values)})"
                f" VALUES ({', '.join(['%s'] * len(values))}) RETURNING id", list(values.values()))
    return cur.fetchone()[0]


def pair(clusters, prefix="owner"):
    """Two people who may own something; their ids."""
    with session(clusters, "core", "bimodal_executor") as cur:
        return [insert(cur, "access.principal", name=unique(prefix), kind="user") for _ in range(2)]


def children(cur, person_id):
    """One row about the person in every child table; {table: id}."""
    return {
        "consent": insert(cur, "crm.consent", person_id=person_id, purpose="analysis", state="granted"),
        "interaction": insert(cur, "crm.interaction", person_id=person_id, kind="email",
                              subject="secret subject", body="secret body"),
        "opportunity": insert(cur, "crm.opportunity", person_id=person_id, stage="engaging"),
        "support_case": insert(cur, "crm.support_case", person_id=person_id, subject="secret case"),
    }


def unique(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:12]}"
