REVOKE SELECT ON notice.state FROM bimodal_app;
DROP INDEX notice.notice_done;
