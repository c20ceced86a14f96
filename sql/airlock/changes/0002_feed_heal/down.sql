DROP FUNCTION change.feed_empty(text);
REVOKE EXECUTE ON FUNCTION crm.feed_mark(text) FROM bimodal_apply;
