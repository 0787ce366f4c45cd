-- How many wrong codes keys that nobody knows may show for one customer together: every policy gains the numbers, none could have set them before.
update policy set document = jsonb_set(document, '{stepUp}', (document -> 'stepUp') || '{"wrongOfUnknownKeys": 50, "wrongOfUnknownKeysSeconds": 3600}');
