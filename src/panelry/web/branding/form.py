"""What an operator enters about the brand, checked."""

import re
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from panelry.web.branding.models import Branding
from panelry.web.branding.pictures import LARGEST, type_of


class BrandForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's own has no parameters
    """A name, an accent, a logo."""

    upload = forms.FileField(
        label=_("Logo"),
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        help_text=_("A PNG, WebP or SVG picture of at most 100 kB. Empty: it stays as it is."),
    )
    without_logo = forms.BooleanField(
        label=_("Remove the logo"), required=False, widget=UnfoldBooleanSwitchWidget
    )

    class Meta:
        model = Branding
        fields = ("name", "accent")
        widgets: ClassVar = {"name": UnfoldAdminTextInputWidget, "accent": UnfoldAdminTextInputWidget}
        help_texts: ClassVar = {
            "name": _("What the panel is called on every page. Empty: Panelry."),
            "accent": _("The colour of buttons and links, such as #0b6e78. Empty: our own."),
        }

    def clean_accent(self) -> str:
        """Take `#rrggbb`, or `#rgb` as browsers read it."""
        accent: str = self.cleaned_data["accent"].strip().lower()
        if re.fullmatch("#[0-9a-f]{3}", accent):
            accent = "#" + "".join(digit * 2 for digit in accent[1:])
        if accent and not re.fullmatch("#[0-9a-f]{6}", accent):
            raise ValidationError(_("Enter a colour as # and six digits from 0 to f."))
        return accent

    def clean_upload(self) -> bytes:
        """Take a picture by what is in it; return its bytes, empty where none was sent."""
        upload = self.cleaned_data["upload"]
        if upload is None:
            return b""
        if upload.size > LARGEST:
            raise ValidationError(_("The picture is larger than 100 kB."))
        content: bytes = upload.read()
        if not type_of(content):
            raise ValidationError(_("This is not a PNG, WebP or SVG picture."))
        return content

    def save(self, commit: bool = True) -> Any:  # noqa: FBT001, FBT002 (Django's)
        """Put the picture into the row, too."""
        content = self.cleaned_data["upload"]
        if content or self.cleaned_data["without_logo"]:
            self.instance.logo, self.instance.logo_type = content, type_of(content) if content else ""
        return super().save(commit)
