"""A device's key, its certificate, and the list of those it trusts, in files (`blechannel/stores`)."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

FILE, IDENTITY, FOLDER = "stores/certificate_file.py", "stores/identity_file.py", "stores/trusted_folder.py"
OF_FILES = "stores/test_certificate_files.py"

MUTANTS = [
    Mutant(
        "a key that others may read is not used",
        IDENTITY,
        "read_bounded(path, forbidden_mode=OTHERS)",
        "read_bounded(path, forbidden_mode=0)",
        OF_FILES,
    ),
    Mutant(
        "a key that others may write or run is not used either",
        IDENTITY,
        "OTHERS: Final = 0o077",
        "OTHERS: Final = 0o044",
        OF_FILES,
    ),
    Mutant(
        "a key belongs to its certificate",
        IDENTITY,
        "    if key.public_key() != p256_key(p256_certificate(leaf.der)):",
        "    if False:",
        OF_FILES,
    ),
    Mutant(
        "a file with a private key is not taken for a peer's certificate",
        FILE,
        "    if PRIVATE_KEY in content:",
        "    if False:",
        OF_FILES,
    ),
    Mutant(
        "a peer's file holds one certificate and no more",
        FILE,
        "        [found] = x509.load_pem_x509_certificates(content)",
        "        found = x509.load_pem_x509_certificates(content)[0]",
        OF_FILES,
    ),
    Mutant(
        "a certificate in a file is as this protocol takes them",
        FILE,
        "        read = p256_certificate(der)",
        "        read = x509.load_der_x509_certificate(der)",
        OF_FILES,
    ),
    Mutant(
        "no pipe is waited for, and no folder taken for a certificate",
        FILE,
        "        if not stat.S_ISREG(found.st_mode):",
        "        if False:",
        OF_FILES,
    ),
    Mutant(
        "a long file is refused",
        FILE,
        "    if len(content) > MAX_FILE_BYTES:",
        "    if False:",
        OF_FILES,
    ),
    Mutant(
        "a list that others may write is not believed",
        FOLDER,
        "            check_mode(self.path.stat(), self.path, OTHERS_WRITE)\n",
        "",
        OF_FILES,
    ),
    Mutant(
        "a certificate on the list that others may write is not believed",
        FOLDER,
        "read_bounded(each, forbidden_mode=OTHERS_WRITE)",
        "read_bounded(each, forbidden_mode=0)",
        OF_FILES,
    ),
    Mutant(
        "a list is made for its owner alone",
        FOLDER,
        "self.path.mkdir(mode=0o700",
        "self.path.mkdir(mode=0o777",
        OF_FILES,
    ),
    Mutant(
        "a list that grows has an end",
        FOLDER,
        "        if len(known) >= MAX_TRUSTED:",
        "        if False:",
        OF_FILES,
    ),
    Mutant(
        "a list that somebody filled has an end",
        FOLDER,
        "        if len(files) > MAX_TRUSTED:",
        "        if False:",
        OF_FILES,
    ),
]
