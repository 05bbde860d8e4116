"""The certificates that a side believes: a folder with one PEM file each, named by its fingerprint."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from blechannel.errors import IdentityError
from blechannel.stores.certificate_file import OTHERS_WRITE, Leaf, check_mode, leaf_in, read_bounded, unusable
from blechannel.stores.private_file import write_private

MAX_TRUSTED: Final = 256


class TrustedFolder:
    """Each method blocks, and raises IdentityError where the folder, or a file in it, cannot be used.

    Whoever may write there decides whom this side believes: others must not. A file that is damaged is an error, not
    a certificate less.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def leaves(self) -> list[Leaf]:
        """What is believed, in the order of names; nothing where there is no folder yet."""
        return sorted(set(self._files().values()), key=lambda leaf: (leaf.name, leaf.fingerprint))

    def add(self, leaf: Leaf) -> bool:
        """Believe it from now on; False where it is believed already. The folder is made where it is missing.

        Raises:
            IdentityError: the list is full, too.
            StoreError: it cannot be written.
        """
        known = self._files().values()
        if leaf in known:
            return False
        if len(known) >= MAX_TRUSTED:
            raise IdentityError(f"this list holds {MAX_TRUSTED} certificates; remove one first", str(self.path))
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise unusable("made", error, self.path) from error
        write_private(self.path / f"{leaf.fingerprint.hex()}.pem", leaf.pem)
        return True

    def remove(self, leaf: Leaf) -> None:
        """Believe it no longer, whichever file it is in."""
        for path, found in self._files().items():
            if found == leaf:
                try:
                    path.unlink()
                except OSError as error:
                    raise unusable("removed", error, path) from error

    def _files(self) -> dict[Path, Leaf]:
        if not self.path.exists():
            return {}
        try:
            check_mode(self.path.stat(), self.path, OTHERS_WRITE)
            files = sorted(each for each in self.path.iterdir() if each.suffix == ".pem")
        except OSError as error:
            raise unusable("read", error, self.path) from error
        if len(files) > MAX_TRUSTED:
            raise IdentityError(f"over {MAX_TRUSTED} certificates are in this folder", str(self.path))
        return {each: leaf_in(read_bounded(each, forbidden_mode=OTHERS_WRITE), each) for each in files}
