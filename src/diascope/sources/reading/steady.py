"""Members that must stay what they were when they were first looked at."""

from __future__ import annotations

from dataclasses import dataclass, field

from diascope.errors import Changed, Unreadable
from diascope.image.image import Image
from diascope.sources.members import Member, Members


@dataclass(frozen=True, slots=True, eq=False)
class Steady:
    """The members of one opened image, so that no part of it is of another moment than it was before."""

    members: Members
    _versions: dict[Member, str] = field(default_factory=dict)

    def image(self, member: Member) -> Image:
        """Raises Unreadable where the file is missing, Changed where it is another one than it was."""
        version = self.members.version(member)
        if version is None:
            raise Unreadable(f"the file {member.path}, which is a part of it, is missing")
        if self._versions.setdefault(member, version) != version:
            raise Changed(f"{member.path} has just been replaced: ask again")
        return self.members.image(member)
