DROP SCHEMA change, access, flag, crm CASCADE;
