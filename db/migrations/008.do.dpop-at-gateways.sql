-- Every policy gains two switches, 0 or 1: none could have set them before.
update policy set document = jsonb_set(document, '{dpop}',
  document -> 'dpop' || '{"requireNonceAtGateway": 0, "rememberProofsAtGateway": 1}');
