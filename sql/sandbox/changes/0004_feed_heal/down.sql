REVOKE EXECUTE ON FUNCTION lab.registry_followed() FROM bimodal_apply;
DROP FUNCTION change.feed_empty(text);
DROP FUNCTION lab.resync_begin(text, text);
DROP FUNCTION lab.resync_end(text);
DROP TABLE lab.resync;
REVOKE SELECT ON lab.position FROM bimodal_apply;
