-- From which risk a login needs a code too: every policy gains the number, none could have set it before.
update policy set document = document || '{"login": {"secondFactorFromRisk": 3}}';
