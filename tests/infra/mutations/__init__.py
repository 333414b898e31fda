"""Mistakes that the check has to find: each replaces one piece of text in one file of `infra/bicep`."""

from tests.infra.mutations.alerts import ALERTING
from tests.infra.mutations.hosting import AGREEMENT, HOSTING
from tests.infra.mutations.language import LANGUAGE
from tests.infra.mutations.model import Mutation
from tests.infra.mutations.rights import ROLES, SECURITY
from tests.infra.mutations.schema import SCHEMA

MUTATIONS = (*LANGUAGE, *SCHEMA, *SECURITY, *ROLES, *HOSTING, *AGREEMENT, *ALERTING)

__all__ = ["MUTATIONS", "Mutation"]
