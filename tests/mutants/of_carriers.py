"""Tickets on tags, in codes and in files, and bonds that move in files (`blechannel/oob`, `stores`)."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

CHECKED, NDEF, QR, READER, FILES = (f"oob/{name}.py" for name in ("checked", "ndef", "qr", "reader", "files"))
TICKET, CERTIFICATES = "pairing/out_of_band.py", "pairing/certificates.py"
TRANSFER, PRIVATE, PACKED = "stores/transfer_file.py", "stores/private_file.py", "stores/packed_bonds.py"
KEYRING, CUSTODY, SEALING = "stores/os_keyring.py", "stores/custody.py", "stores/sealing.py"
OF_NDEF, OF_QR, OF_READER = "oob/test_ndef.py", "oob/test_qr.py", "oob/test_reader.py"
OF_TRANSFER = "stores/test_transfer_file.py stores/test_moving.py"
OF_PRIVATE, OF_KEYRING = "stores/test_private_file.py", "stores/test_os_keyring.py"
CONTENT, OF_SQLITE = "stores/content.py", "stores/test_sqlite.py"
OF_SEALING, OF_CERTIFICATES = "stores/test_sealing.py", "pairing/test_certificates.py"
WRITE, LEAVE = "await asyncio.to_thread(write_private, target, content)\n", "await store.apply(MoveOut(bonds))\n"

TICKETS = [
    Mutant(
        "a ticket has a secret and a key hash of their lengths",
        TICKET,
        "if len(self.secret) != SECRET_BYTES or len(self.key_hash) != KEY_HASH_BYTES:",
        "if False:",
        "pairing/test_out_of_band.py",
    ),
    Mutant(
        "a radio address has six bytes and a kind",
        TICKET,
        "if len(self.address) != ADDRESS_BYTES or self.kind is AddressKind.NONE:",
        "if False:",
        "pairing/test_out_of_band.py",
    ),
    Mutant(
        "a tag without a ticket is refused by name",
        NDEF,
        "    if not payloads:",
        "    if False:",
        OF_NDEF,
    ),
    Mutant(
        "a tag that holds no message is refused by name",
        NDEF,
        "    except (ndef.DecodeError, ValueError) as error:",
        "    except ZeroDivisionError as error:",
        OF_NDEF,
    ),
    Mutant(
        "what stands inside other records is not looked at",
        NDEF,
        "ndef.message_decoder(data, known_types={})",
        "ndef.message_decoder(data)",
        OF_NDEF,
    ),
    Mutant(
        "a tag that is protected is not written",
        READER,
        "        if not content.is_writeable:",
        "        if False:",
        OF_READER,
    ),
    Mutant(
        "a tag that is too small is not written",
        READER,
        "        if content.capacity < len(message):",
        "        if False:",
        OF_READER,
    ),
    Mutant(
        "a tag is read back",
        READER,
        "        if content.has_changed or bytes(content.octets) != message:",
        "        if False:",
        OF_READER,
    ),
    Mutant(
        "a tag is waited for so long",
        READER,
        "terminate=lambda: time.monotonic() >= until_s",
        "terminate=lambda: False",
        OF_READER,
    ),
    Mutant(
        "a code begins with its word",
        QR,
        "if not text.isascii() or not text.strip().upper().startswith(PREFIX):",
        "if not text.isascii():",
        OF_QR,
    ),
    Mutant(
        "a code is of ASCII letters",
        QR,
        "if not text.isascii() or not text.strip().upper().startswith(PREFIX):",
        "if not text.strip().upper().startswith(PREFIX):",
        OF_QR,
    ),
    Mutant(
        "a code has its length",
        QR,
        "    if len(code) != TEXT_CHARACTERS:",
        "    if False:",
        OF_QR,
    ),
    Mutant(
        "a code that is no base32 is refused by name",
        QR,
        "    except binascii.Error as error:",
        "    except ZeroDivisionError as error:",
        OF_QR,
    ),
    Mutant(
        "a file with a ticket is its owner's alone",
        FILES,
        "            with os.fdopen(descriptor, ",
        "            os.fchmod(descriptor, 0o644)\n            with os.fdopen(descriptor, ",
        f"{OF_NDEF} {OF_QR}",
    ),
    Mutant(
        "a file over the bound is told from one at it",
        FILES,
        "file.read(max_bytes + 1)",
        "file.read(max_bytes)",
        OF_NDEF,
    ),
    Mutant(
        "a ticket that could not be written leaves nothing behind",
        FILES,
        "                Path(fresh).unlink()\n",
        "                pass\n",
        f"{OF_NDEF} {OF_QR}",
    ),
]

DATES = [
    Mutant(
        "a certificate that has ended is refused",
        CERTIFICATES,
        "        if ended or not_begun:",
        "        if not_begun:",
        OF_CERTIFICATES,
    ),
    Mutant(
        "a certificate that has not begun is refused",
        CERTIFICATES,
        "        if ended or not_begun:",
        "        if ended:",
        OF_CERTIFICATES,
    ),
    Mutant(
        "without a clock a certificate may begin later",
        CERTIFICATES,
        "not_begun = self.has_clock and at_s",
        "not_begun = at_s",
        OF_CERTIFICATES,
    ),
    Mutant(
        "every certificate of a chain has its time",
        CERTIFICATES,
        "        for certificate in certificates:\n            self._check_time(certificate, at_s)\n",
        "        self._check_time(certificates[0], at_s)\n",
        OF_CERTIFICATES,
    ),
    Mutant(
        "a clock that was put back is not believed",
        "session/credentials.py",
        "floor_s if now_s is None else max(now_s, floor_s)",
        "floor_s if now_s is None else now_s",
        "session/test_certificates.py",
    ),
    Mutant(
        "a side without a clock knows what is past",
        "session/credentials.py",
        "floor_s if now_s is None else max(now_s, floor_s)",
        "0.0 if now_s is None else max(now_s, floor_s)",
        "session/test_certificates.py",
    ),
    Mutant(
        "who has no list believes no certificate",
        "session/credentials.py",
        '        if self.verifier is None:\n            return b""\n',
        "        if self.verifier is None:\n            return bytes(32)\n",
        "session/test_certificates.py",
    ),
]

MOVES = [
    Mutant(
        "bonds move under a passphrase",
        TRANSFER,
        "    if not passphrase:\n",
        "    if False:\n",
        OF_TRANSFER,
    ),
    Mutant(
        "the bonds of a watch are not exported",
        TRANSFER,
        "if not bonds or any(bond.role is not Role.PHONE for bond in bonds):",
        "if not bonds:",
        OF_TRANSFER,
    ),
    Mutant(
        "bonds are in the file before they leave the store",
        TRANSFER,
        f"    {WRITE}    try:\n        {LEAVE}",
        f"    try:\n        {LEAVE}        {WRITE}",
        OF_TRANSFER,
    ),
    Mutant(
        "an export that fails leaves no file",
        TRANSFER,
        "    except BondError:\n        with suppress(OSError):\n            target.unlink()\n",
        "    except BondError:\n",
        OF_TRANSFER,
    ),
    Mutant(
        "an import removes the file",
        TRANSFER,
        "    await store.apply(MoveIn(bonds))\n    with suppress(OSError):\n        target.unlink()\n",
        "    await store.apply(MoveIn(bonds))\n",
        OF_TRANSFER,
    ),
    Mutant(
        "a transfer file is bounded",
        TRANSFER,
        "if len(content) > MAX_FILE_BYTES or not content.startswith(MAGIC):",
        "if not content.startswith(MAGIC):",
        OF_TRANSFER,
    ),
    Mutant(
        "a transfer file begins with its word",
        TRANSFER,
        "if len(content) > MAX_FILE_BYTES or not content.startswith(MAGIC):",
        "if len(content) > MAX_FILE_BYTES:",
        OF_TRANSFER,
    ),
    Mutant(
        "a transfer file is a file",
        TRANSFER,
        "        if not stat.S_ISREG(path.stat().st_mode):",
        "        if False:",
        OF_TRANSFER,
    ),
    Mutant(
        "a transfer file of a newer program is said to be one",
        TRANSFER,
        "    if len(header) > len(MAGIC) and header[len(MAGIC)] > VERSION:",
        "    if False:",
        OF_TRANSFER,
    ),
    Mutant(
        "a transfer file opens under its passphrase alone",
        TRANSFER,
        "    if sealer is None:\n        raise WrongPassphrase",
        "    if False:\n        raise WrongPassphrase",
        OF_TRANSFER,
    ),
    Mutant(
        "a transfer file holds no more bonds than a phone",
        PACKED,
        "    if len(cells) > MAX_PHONE_BONDS * width:",
        "    if False:",
        "stores/test_packed_bonds.py",
    ),
    Mutant(
        "a transfer file that is cut off is refused",
        PACKED,
        "        if len(raw) < length_bytes:",
        "        if False:",
        "stores/test_packed_bonds.py",
    ),
    Mutant(
        "a cell of no kind is refused",
        PACKED,
        '    raise ValueError("a cell of no kind")',
        "    return None",
        "stores/test_packed_bonds.py",
    ),
    Mutant(
        "an empty cell is empty",
        PACKED,
        "    if kind == _NONE and not raw:",
        "    if kind == _NONE:",
        "stores/test_packed_bonds.py",
    ),
    Mutant(
        "a private file replaces none",
        PRIVATE,
        "os.close(os.open(path, _EXCLUSIVE, OWNER_ONLY))",
        "os.close(os.open(path, os.O_WRONLY | os.O_CREAT, OWNER_ONLY))",
        f"{OF_PRIVATE} {OF_TRANSFER}",
    ),
    Mutant(
        "a private file is its owner's alone",
        PRIVATE,
        "    descriptor = os.open(path, _EXCLUSIVE, OWNER_ONLY)\n    with",
        "    descriptor = os.open(path, _EXCLUSIVE, 0o644)\n    with",
        f"{OF_PRIVATE} {OF_TRANSFER}",
    ),
    Mutant(
        "a private file is on the disk",
        PRIVATE,
        "        os.fsync(descriptor)\n\n\ndef _sync_folder",
        "        pass\n\n\ndef _sync_folder",
        OF_PRIVATE,
    ),
    Mutant(
        "a private file that could not be written leaves nothing behind",
        PRIVATE,
        "                left.unlink(missing_ok=True)\n",
        "                pass\n",
        OF_PRIVATE,
    ),
]

SECRETS = [
    Mutant(
        "a passphrase in the keyring is never replaced",
        KEYRING,
        "        if known is not None:\n            return known\n",
        "",
        OF_KEYRING,
    ),
    Mutant(
        "no passphrase is made for a store that has content",
        KEYRING,
        "        if not make and _has_content(Path(entry)):",
        "        if False:",
        OF_KEYRING,
    ),
    Mutant(
        "a passphrase is relied on once it can be had again",
        KEYRING,
        "        if kept is None:",
        "        if False:",
        OF_KEYRING,
    ),
    Mutant(
        "a store of somebody else's that others may read is refused",
        CUSTODY,
        "_require(status.st_uid == os.geteuid(), ",
        "_require(True, ",
        "stores/test_foreign_files.py stores/test_sqlite.py",
    ),
    Mutant(
        "a store under a passphrase opens with it alone",
        SEALING,
        "    if sealer is None:\n        raise WrongPassphrase",
        "    if False:\n        raise WrongPassphrase",
        OF_SEALING,
    ),
    Mutant(
        "a store under a passphrase does not open without one",
        SEALING,
        "    if passphrase is None:\n        raise WrongPassphrase",
        "    if False:\n        raise WrongPassphrase",
        OF_SEALING,
    ),
    Mutant(
        "a passphrase is the same from every keyboard",
        SEALING,
        'unicodedata.normalize("NFC", passphrase)',
        "passphrase",
        OF_SEALING,
    ),
    Mutant(
        "each sealed value has a nonce of its own",
        SEALING,
        "        nonce = self._random(NONCE_BYTES)\n",
        "        nonce = bytes(NONCE_BYTES)\n",
        OF_SEALING,
    ),
    Mutant(
        "a store of a newer program is left alone",
        "stores/schema.py",
        "    if version > len(steps):",
        "    if False:",
        "stores/test_foreign_files.py",
    ),
    Mutant(
        "a bond that has changed reaches the disk",
        CONTENT,
        "        if known.get(bond_id) != bond:",
        "        if bond_id not in known:",
        "stores/test_migration.py",
    ),
    Mutant(
        "a bond that was removed leaves the disk",
        CONTENT,
        '        connection.execute("DELETE FROM bonds WHERE bond_id = ?", (bond_id,))\n',
        "        pass\n",
        OF_SQLITE,
    ),
    Mutant(
        "a spent guess reaches the disk",
        CONTENT,
        "        or old.guesses_spent != new.guesses_spent\n",
        "",
        OF_SQLITE,
    ),
    Mutant(
        "a new key of the advertisements reaches the disk",
        CONTENT,
        "        or old.discovery_key != new.discovery_key\n",
        "",
        OF_SQLITE,
    ),
    Mutant(
        "a new passphrase seals every bond anew",
        CONTENT,
        "before.book.bonds if before and before.seal is after.seal else {}",
        "before.book.bonds if before else {}",
        f"{OF_SEALING} {OF_SQLITE}",
    ),
    Mutant(
        "a new passphrase is that of the store",
        CONTENT,
        "        before.seal is not after.seal\n        or ",
        "        ",
        f"{OF_SEALING} {OF_SQLITE}",
    ),
    Mutant(
        "a key log is not written through another name",
        "aio/key_log.py",
        '| getattr(os, "O_NOFOLLOW", 0)',
        "",
        "aio/test_key_log.py",
    ),
    Mutant(
        "a key log is closed once",
        "aio/key_log.py",
        "        file, self._file = self._file, None\n",
        "        file = self._file\n",
        "aio/test_key_log.py",
    ),
]

MUTANTS = [*TICKETS, *DATES, *MOVES, *SECRETS]
