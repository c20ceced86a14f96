-- The counts are lost; they are made anew by those who ask.
DROP FUNCTION flag.asked_add(text, text, int, jsonb, jsonb);
DROP TABLE flag.stream;
DROP TABLE flag.asked;
