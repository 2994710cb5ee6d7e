"""An identity provider, as little of it as a sign-in needs."""

PROFILES = {
    "code-of-anna": {"login": "anna", "teams": ["ccatobs/datacenter"]},
    "code-of-otto": {"login": "otto", "teams": ["ccatobs/visitors"]},
    "code-of-eve": {"login": "eve", "teams": ["elsewhere"]},
}


def profile_of(code):
    return PROFILES.get(code)
