DROP PUBLICATION bimodal_crm;
DROP PUBLICATION bimodal_registry;
DROP PUBLICATION bimodal_nothing;
DROP SCHEMA change, access, flag, crm CASCADE;
