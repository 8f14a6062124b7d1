"""One file a subject. Whatever has texts has them in every language, beside each other."""

from panelry.web.content.models.health import Incident, IncidentNote
from panelry.web.content.models.messages import Message
from panelry.web.content.models.pages import Page
from panelry.web.content.models.posts import Giveaway, Post, Question

__all__ = ["Giveaway", "Incident", "IncidentNote", "Message", "Page", "Post", "Question"]
