-- A hypothesis has an owner pair: first the people its manifest names, then those of its flag in core. People are known to core alone, so
-- the pair follows the flag's ids through the feed, and core is asked for the names that belong to them.
ALTER TABLE flag.flag ADD COLUMN business_owner uuid;
ALTER TABLE flag.flag ADD COLUMN technical_owner uuid;

ALTER TABLE lab.hypothesis ADD COLUMN business_owner uuid;
ALTER TABLE lab.hypothesis ADD COLUMN technical_owner uuid;
ALTER TABLE lab.hypothesis ADD COLUMN business_name text;
ALTER TABLE lab.hypothesis ADD COLUMN technical_name text;
UPDATE lab.hypothesis SET business_name = coalesce(manifest ->> 'business_owner', ''),
	technical_name = coalesce(manifest ->> 'technical_owner', '');
ALTER TABLE lab.hypothesis ALTER COLUMN business_name SET NOT NULL;
ALTER TABLE lab.hypothesis ALTER COLUMN technical_name SET NOT NULL;
ALTER TABLE lab.hypothesis ADD CONSTRAINT hypothesis_owner_pair
	CHECK ((business_owner IS NULL) = (technical_owner IS NULL) AND business_owner <> technical_owner);

-- include functions/lab_owners.sql

CREATE TRIGGER owners BEFORE INSERT ON lab.hypothesis FOR EACH ROW EXECUTE FUNCTION lab.owners_begin();

GRANT EXECUTE ON FUNCTION lab.owners_are(text, uuid, uuid, text, text) TO bimodal_deployer;
