-- Schema crm: the canonical customer record, and its rows in the field registry. Every table about a person
-- carries pseudonym and lab_ok, which the feed's row filter and the sandbox's key need.
CREATE SCHEMA crm;
GRANT USAGE ON SCHEMA crm TO bimodal_executor, bimodal_app, bimodal_feed, bimodal_feature;

-- include functions/uuid_v7.sql
-- include functions/crm_touch.sql
-- include functions/crm_person_link.sql
-- include functions/crm_consent.sql
-- include functions/crm_partition_ensure.sql
-- include functions/event_triggers.sql
-- include functions/published_columns.sql

CREATE TABLE crm.organization (
	id uuid PRIMARY KEY DEFAULT crm.uuid_v7(),
	version int NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	name text NOT NULL CHECK (name <> ''),
	external_id text UNIQUE,
	sector text,
	country text,
	region text,
	size_band text,
	employees int CHECK (employees >= 0),
	revenue numeric(18,2),
	founded int,
	website text,
	parent_id uuid REFERENCES crm.organization,
	owner text,
	stage text
);
CREATE INDEX organization_name ON crm.organization (name, id);
CREATE INDEX organization_parent ON crm.organization (parent_id);

CREATE TABLE crm.person (
	id uuid PRIMARY KEY DEFAULT crm.uuid_v7(),
	version int NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	pseudonym uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
	lab_ok boolean NOT NULL DEFAULT true,
	given_name text,
	family_name text,
	email text,
	phone text,
	street text,
	city text,
	postcode text,
	birth_date date,
	note text,
	external_id text UNIQUE,
	organization_id uuid REFERENCES crm.organization,
	country text,
	region text,
	language text,
	segment text,
	stage text,
	source text,
	age_band text,
	owner text
);
CREATE UNIQUE INDEX person_identity ON crm.person (pseudonym, lab_ok);
ALTER TABLE crm.person REPLICA IDENTITY USING INDEX person_identity;
CREATE INDEX person_organization ON crm.person (organization_id);
CREATE INDEX person_email ON crm.person (email);
CREATE INDEX person_family_name ON crm.person (family_name, id);

CREATE TABLE crm.consent (
	id uuid PRIMARY KEY DEFAULT crm.uuid_v7(),
	version int NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	person_id uuid NOT NULL REFERENCES crm.person ON DELETE CASCADE,
	person_pseudonym uuid NOT NULL,
	lab_ok boolean NOT NULL,
	purpose text NOT NULL CHECK (purpose IN ('analysis', 'marketing', 'profiling')),
	state text NOT NULL CHECK (state IN ('granted', 'withdrawn')),
	source text,
	at timestamptz NOT NULL DEFAULT now(),
	UNIQUE (person_id, purpose)
);
CREATE UNIQUE INDEX consent_identity ON crm.consent (id, lab_ok);
ALTER TABLE crm.consent REPLICA IDENTITY USING INDEX consent_identity;

CREATE TABLE crm.interaction (
	id uuid NOT NULL DEFAULT crm.uuid_v7(),
	version int NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	person_id uuid REFERENCES crm.person ON DELETE CASCADE,
	organization_id uuid REFERENCES crm.organization,
	person_pseudonym uuid,
	lab_ok boolean NOT NULL,
	kind text NOT NULL CHECK (kind IN ('email', 'call', 'meeting', 'chat', 'web', 'visit', 'purchase',
		'order', 'complaint')),
	channel text,
	direction text CHECK (direction IN ('in', 'out')),
	at timestamptz NOT NULL DEFAULT now(),
	subject text,
	body text,
	amount numeric(14,2),
	PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE UNIQUE INDEX interaction_identity ON crm.interaction (id, lab_ok);
ALTER TABLE crm.interaction REPLICA IDENTITY USING INDEX interaction_identity;
CREATE INDEX interaction_person ON crm.interaction (person_id, at);
CREATE INDEX interaction_pseudonym ON crm.interaction (person_pseudonym, at);
CREATE INDEX interaction_organization ON crm.interaction (organization_id, at);
CREATE INDEX interaction_at ON crm.interaction (at, id);

CREATE TABLE crm.opportunity (
	id uuid PRIMARY KEY DEFAULT crm.uuid_v7(),
	version int NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	organization_id uuid REFERENCES crm.organization,
	person_id uuid REFERENCES crm.person ON DELETE SET NULL,
	person_pseudonym uuid,
	lab_ok boolean NOT NULL,
	name text,
	product text,
	stage text NOT NULL DEFAULT 'prospecting'
		CHECK (stage IN ('prospecting', 'engaging', 'won', 'lost')),
	amount numeric(14,2),
	currency text NOT NULL DEFAULT 'EUR' CHECK (currency ~ '^[A-Z]{3}$'),
	close_value numeric(14,2),
	opened_at date,
	closed_at date,
	owner text,
	external_id text UNIQUE,
	source text
);
CREATE UNIQUE INDEX opportunity_identity ON crm.opportunity (id, lab_ok);
ALTER TABLE crm.opportunity REPLICA IDENTITY USING INDEX opportunity_identity;
CREATE INDEX opportunity_person ON crm.opportunity (person_id);
CREATE INDEX opportunity_pseudonym ON crm.opportunity (person_pseudonym);
CREATE INDEX opportunity_organization ON crm.opportunity (organization_id);
CREATE INDEX opportunity_closed ON crm.opportunity (closed_at, id);

CREATE TABLE crm.support_case (
	id uuid PRIMARY KEY DEFAULT crm.uuid_v7(),
	version int NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	organization_id uuid REFERENCES crm.organization,
	person_id uuid REFERENCES crm.person ON DELETE CASCADE,
	person_pseudonym uuid,
	lab_ok boolean NOT NULL,
	subject text,
	description text,
	status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'pending', 'closed')),
	priority text NOT NULL DEFAULT 'normal' CHECK (priority IN ('low', 'normal', 'high')),
	kind text,
	opened_at timestamptz NOT NULL DEFAULT now(),
	closed_at timestamptz,
	owner text
);
CREATE UNIQUE INDEX support_case_identity ON crm.support_case (id, lab_ok);
ALTER TABLE crm.support_case REPLICA IDENTITY USING INDEX support_case_identity;
CREATE INDEX support_case_person ON crm.support_case (person_id);
CREATE INDEX support_case_pseudonym ON crm.support_case (person_pseudonym);
CREATE INDEX support_case_organization ON crm.support_case (organization_id);
CREATE INDEX support_case_opened ON crm.support_case (opened_at, id);

INSERT INTO change.resource (name, singular, table_name, parent, parent_field, person_field, published, label,
	position)
VALUES
	('organizations', 'organization', 'organization', NULL, NULL, NULL, true, 'Organizations', 1),
	('people', 'person', 'person', NULL, NULL, 'id', true, 'People', 2),
	('consents', 'consent', 'consent', 'people', 'person_id', 'person_id', true, 'Consents', 3),
	('interactions', 'interaction', 'interaction', NULL, NULL, 'person_id', true, 'Interactions', 4),
	('opportunities', 'opportunity', 'opportunity', NULL, NULL, 'person_id', true, 'Opportunities', 5),
	('cases', 'case', 'support_case', NULL, NULL, 'person_id', true, 'Cases', 6);

-- Columns every table has. The id of a person and what names a person by it stay in core.
INSERT INTO change.field (resource, name, position, type, class, kind, filterable, sortable, help)
SELECT r.name, v.name, v.position, v.type,
	CASE WHEN v.name = 'id' AND r.person_field = 'id' THEN 'internal' ELSE 'open' END,
	v.kind, v.name = 'id', v.name = 'id', v.help
FROM change.resource r CROSS JOIN (VALUES
	('id', 1, 'uuid', 'uuid', 'identifier'),
	('version', 2, 'integer', 'integer', 'number of the last write'),
	('created_at', 3, 'timestamp with time zone', 'timestamp', 'when the record was made'),
	('updated_at', 4, 'timestamp with time zone', 'timestamp', 'when it was last written'))
	AS v (name, position, type, kind, help);

INSERT INTO change.field (resource, name, position, type, class, kind, filterable, help)
SELECT r.name, CASE r.person_field WHEN 'id' THEN 'pseudonym' ELSE 'person_pseudonym' END, 5, 'uuid',
	'secret', 'uuid', false, 'what the sandbox joins on'
FROM change.resource r WHERE r.person_field IS NOT NULL
UNION ALL
SELECT r.name, 'lab_ok', 6, 'boolean', 'open', 'boolean', true,
	'the person has not withdrawn the consent to analysis'
FROM change.resource r WHERE r.person_field IS NOT NULL;

-- Flags: r required, w writable, f filterable, s sortable.
INSERT INTO change.field (resource, name, position, type, class, kind, required, writable, filterable, sortable,
	reference, choices, max_length, help)
SELECT v.resource, v.name, v.position + 6, v.type, v.class, v.kind, v.flags ~ 'r', v.flags ~ 'w',
	v.flags ~ 'f', v.flags ~ 's', v.reference, v.choices::text[], v.max_length, v.help
FROM (VALUES
	('organizations', 1, 'name', 'text', 'internal', 'text', 'rwfs', NULL, NULL, 200, 'name'),
	('organizations', 2, 'external_id', 'text', 'internal', 'text', 'wf', NULL, NULL, 200,
		'key in the system it came from'),
	('organizations', 3, 'sector', 'text', 'open', 'text', 'wf', NULL, NULL, 100, 'line of business'),
	('organizations', 4, 'country', 'text', 'open', 'text', 'wf', NULL, NULL, 100, 'country'),
	('organizations', 5, 'region', 'text', 'open', 'text', 'wf', NULL, NULL, 100, 'region'),
	('organizations', 6, 'size_band', 'text', 'open', 'text', 'wf', NULL, NULL, 50, 'size as a band'),
	('organizations', 7, 'employees', 'integer', 'open', 'integer', 'wf', NULL, NULL, NULL,
		'number of employees'),
	('organizations', 8, 'revenue', 'numeric(18,2)', 'open', 'decimal', 'wf', NULL, NULL, NULL,
		'revenue a year, in millions'),
	('organizations', 9, 'founded', 'integer', 'open', 'integer', 'w', NULL, NULL, NULL, 'year'),
	('organizations', 10, 'website', 'text', 'internal', 'text', 'w', NULL, NULL, 500, 'address'),
	('organizations', 11, 'parent_id', 'uuid', 'open', 'uuid', 'wf', 'organizations', NULL, NULL,
		'organization it belongs to'),
	('organizations', 12, 'owner', 'text', 'internal', 'text', 'wf', NULL, NULL, 200, 'who looks after it'),
	('organizations', 13, 'stage', 'text', 'open', 'text', 'wf', NULL, NULL, 50, 'stage of the relation'),

	('people', 1, 'given_name', 'text', 'personal', 'text', 'w', NULL, NULL, 200, 'given name'),
	('people', 2, 'family_name', 'text', 'personal', 'text', 'wfs', NULL, NULL, 200, 'family name'),
	('people', 3, 'email', 'text', 'personal', 'text', 'wf', NULL, NULL, 320, 'e-mail address'),
	('people', 4, 'phone', 'text', 'personal', 'text', 'w', NULL, NULL, 50, 'telephone number'),
	('people', 5, 'street', 'text', 'personal', 'text', 'w', NULL, NULL, 200, 'street and number'),
	('people', 6, 'city', 'text', 'personal', 'text', 'w', NULL, NULL, 200, 'city'),
	('people', 7, 'postcode', 'text', 'personal', 'text', 'w', NULL, NULL, 20, 'postcode'),
	('people', 8, 'birth_date', 'date', 'personal', 'date', 'w', NULL, NULL, NULL, 'date of birth'),
	('people', 9, 'note', 'text', 'personal', 'text', 'w', NULL, NULL, 10000, 'free text'),
	('people', 10, 'external_id', 'text', 'personal', 'text', 'wf', NULL, NULL, 200,
		'key in the system it came from'),
	('people', 11, 'organization_id', 'uuid', 'open', 'uuid', 'wf', 'organizations', NULL, NULL,
		'organization'),
	('people', 12, 'country', 'text', 'open', 'text', 'wf', NULL, NULL, 100, 'country'),
	('people', 13, 'region', 'text', 'open', 'text', 'wf', NULL, NULL, 100, 'region'),
	('people', 14, 'language', 'text', 'open', 'text', 'wf', NULL, NULL, 20, 'language'),
	('people', 15, 'segment', 'text', 'open', 'text', 'wf', NULL, NULL, 50, 'customer segment'),
	('people', 16, 'stage', 'text', 'open', 'text', 'wf', NULL, NULL, 50, 'stage of the relation'),
	('people', 17, 'source', 'text', 'open', 'text', 'wf', NULL, NULL, 100, 'where the contact came from'),
	('people', 18, 'age_band', 'text', 'open', 'text', 'wf', NULL, NULL, 20, 'age as a band'),
	('people', 19, 'owner', 'text', 'internal', 'text', 'wf', NULL, NULL, 200, 'who looks after them'),

	('consents', 1, 'person_id', 'uuid', 'internal', 'uuid', 'rwf', 'people', NULL, NULL, 'person'),
	('consents', 2, 'purpose', 'text', 'open', 'enum', 'rwf', NULL, '{analysis,marketing,profiling}', NULL,
		'what the consent is for'),
	('consents', 3, 'state', 'text', 'open', 'enum', 'rwf', NULL, '{granted,withdrawn}', NULL,
		'granted or withdrawn'),
	('consents', 4, 'source', 'text', 'open', 'text', 'w', NULL, NULL, 100, 'where it was given'),
	('consents', 5, 'at', 'timestamp with time zone', 'open', 'timestamp', 'wf', NULL, NULL, NULL,
		'when it was given or withdrawn'),

	('interactions', 1, 'person_id', 'uuid', 'internal', 'uuid', 'wf', 'people', NULL, NULL, 'person'),
	('interactions', 2, 'organization_id', 'uuid', 'open', 'uuid', 'wf', 'organizations', NULL, NULL,
		'organization'),
	('interactions', 3, 'kind', 'text', 'open', 'enum', 'rwf', NULL,
		'{email,call,meeting,chat,web,visit,purchase,order,complaint}', NULL, 'what happened'),
	('interactions', 4, 'channel', 'text', 'open', 'text', 'wf', NULL, NULL, 50, 'channel'),
	('interactions', 5, 'direction', 'text', 'open', 'enum', 'wf', NULL, '{in,out}', NULL,
		'from or to the customer'),
	('interactions', 6, 'at', 'timestamp with time zone', 'open', 'timestamp', 'wfs', NULL, NULL, NULL,
		'when it happened'),
	('interactions', 7, 'subject', 'text', 'personal', 'text', 'w', NULL, NULL, 500, 'subject'),
	('interactions', 8, 'body', 'text', 'personal', 'text', 'w', NULL, NULL, 100000, 'text'),
	('interactions', 9, 'amount', 'numeric(14,2)', 'open', 'decimal', 'wf', NULL, NULL, NULL, 'amount'),

	('opportunities', 1, 'organization_id', 'uuid', 'open', 'uuid', 'wf', 'organizations', NULL, NULL,
		'organization'),
	('opportunities', 2, 'person_id', 'uuid', 'internal', 'uuid', 'wf', 'people', NULL, NULL, 'person'),
	('opportunities', 3, 'name', 'text', 'internal', 'text', 'w', NULL, NULL, 200, 'name'),
	('opportunities', 4, 'product', 'text', 'open', 'text', 'wf', NULL, NULL, 200, 'product'),
	('opportunities', 5, 'stage', 'text', 'open', 'enum', 'wf', NULL, '{prospecting,engaging,won,lost}',
		NULL, 'stage'),
	('opportunities', 6, 'amount', 'numeric(14,2)', 'open', 'decimal', 'wf', NULL, NULL, NULL,
		'expected value'),
	('opportunities', 7, 'currency', 'text', 'open', 'text', 'wf', NULL, NULL, 3, 'ISO 4217 code'),
	('opportunities', 8, 'close_value', 'numeric(14,2)', 'open', 'decimal', 'wf', NULL, NULL, NULL,
		'value at the close'),
	('opportunities', 9, 'opened_at', 'date', 'open', 'date', 'wf', NULL, NULL, NULL, 'day it was opened'),
	('opportunities', 10, 'closed_at', 'date', 'open', 'date', 'wfs', NULL, NULL, NULL,
		'day it was closed'),
	('opportunities', 11, 'owner', 'text', 'internal', 'text', 'wf', NULL, NULL, 200, 'who sells'),
	('opportunities', 12, 'external_id', 'text', 'internal', 'text', 'wf', NULL, NULL, 200,
		'key in the system it came from'),
	('opportunities', 13, 'source', 'text', 'open', 'text', 'wf', NULL, NULL, 100, 'where it came from'),

	('cases', 1, 'organization_id', 'uuid', 'open', 'uuid', 'wf', 'organizations', NULL, NULL,
		'organization'),
	('cases', 2, 'person_id', 'uuid', 'internal', 'uuid', 'wf', 'people', NULL, NULL, 'person'),
	('cases', 3, 'subject', 'text', 'personal', 'text', 'w', NULL, NULL, 500, 'subject'),
	('cases', 4, 'description', 'text', 'personal', 'text', 'w', NULL, NULL, 100000, 'text'),
	('cases', 5, 'status', 'text', 'open', 'enum', 'wf', NULL, '{open,pending,closed}', NULL, 'status'),
	('cases', 6, 'priority', 'text', 'open', 'enum', 'wf', NULL, '{low,normal,high}', NULL, 'priority'),
	('cases', 7, 'kind', 'text', 'open', 'text', 'wf', NULL, NULL, 50, 'kind'),
	('cases', 8, 'opened_at', 'timestamp with time zone', 'open', 'timestamp', 'wfs', NULL, NULL, NULL,
		'when it was opened'),
	('cases', 9, 'closed_at', 'timestamp with time zone', 'open', 'timestamp', 'wf', NULL, NULL, NULL,
		'when it was closed'),
	('cases', 10, 'owner', 'text', 'internal', 'text', 'wf', NULL, NULL, 200, 'who looks after it'))
	AS v (resource, position, name, type, class, kind, flags, reference, choices, max_length, help);

SELECT crm.triggers_ensure(table_name) FROM change.resource ORDER BY position;
CREATE TRIGGER lab_ok AFTER UPDATE OF pseudonym, lab_ok ON crm.person FOR EACH ROW
	WHEN ((OLD.pseudonym, OLD.lab_ok) IS DISTINCT FROM (NEW.pseudonym, NEW.lab_ok))
	EXECUTE FUNCTION crm.person_relink();
CREATE TRIGGER fixed BEFORE UPDATE ON crm.consent FOR EACH ROW
	WHEN ((OLD.person_id, OLD.purpose) IS DISTINCT FROM (NEW.person_id, NEW.purpose))
	EXECUTE FUNCTION crm.consent_fixed();
-- Named to come after person_link and person_relink: triggers of one kind run in the order of their names.
CREATE TRIGGER self BEFORE INSERT OR UPDATE ON crm.consent FOR EACH ROW
	WHEN (NEW.purpose = 'analysis') EXECUTE FUNCTION crm.consent_own();
CREATE TRIGGER analysis AFTER INSERT OR UPDATE OF state ON crm.consent FOR EACH ROW
	WHEN (NEW.purpose = 'analysis') EXECUTE FUNCTION crm.consent_analysis();

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA crm TO bimodal_app, bimodal_executor;
GRANT EXECUTE ON FUNCTION crm.uuid_v7(), crm.uuid_v7_floor(timestamptz) TO bimodal_app, bimodal_executor;
GRANT EXECUTE ON FUNCTION crm.partition_ensure(timestamptz, int), crm.triggers_ensure(text)
	TO bimodal_executor;
GRANT EXECUTE ON FUNCTION change.published_columns() TO bimodal_app, bimodal_executor;
GRANT EXECUTE ON FUNCTION change.shape() TO bimodal_executor;

-- After the grants: rights are those of the whole table, partitions have none of their own.
SELECT crm.partition_ensure(date_trunc('month', now(), 'UTC') - interval '1 month', 5);
