-- How often a requester may ring a customer who does not answer: every policy gains the numbers, none could have set them before.
update policy set document = jsonb_set(document, '{stepUp}', (document -> 'stepUp') || '{"unansweredToPause": 5, "unansweredWindowSeconds": 600}');
