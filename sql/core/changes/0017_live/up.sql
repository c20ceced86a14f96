-- Live: the workers tell open consoles of new notices by how far the log has been followed for them, and of tasks that ended with an event.
CREATE INDEX notice_done ON notice.notice (done_at) WHERE done_at IS NOT NULL;

GRANT SELECT ON notice.state TO bimodal_app;
