"""Published vectors, typed in: what a machine without the whole set still checks.

They are five of the 944 of cacophony (public domain): both patterns of blechannel, and one each of 448 with a
deferred pattern, of a one-way pattern and of a fundamental one, over every cipher and hash.
"""

from __future__ import annotations

from typing import Final, NotRequired, TypedDict


class Exchanged(TypedDict):
    """One message, in hexadecimal."""

    payload: str
    ciphertext: str


class Vector(TypedDict):
    """One vector as the published file has it; keys and messages in hexadecimal."""

    protocol_name: str
    init_prologue: str
    init_ephemeral: str
    init_static: NotRequired[str]
    init_remote_static: NotRequired[str]
    init_psks: NotRequired[list[str]]
    resp_prologue: str
    resp_ephemeral: NotRequired[str]
    resp_static: NotRequired[str]
    resp_remote_static: NotRequired[str]
    resp_psks: NotRequired[list[str]]
    handshake_hash: str
    messages: list[Exchanged]


TYPED_IN: Final[list[Vector]] = [
    {
        "protocol_name": "Noise_XXpsk3_25519_ChaChaPoly_SHA256",
        "init_prologue": "4a6f686e2047616c74",
        "init_psks": ["54686973206973206d7920417573747269616e20706572737065637469766521"],
        "init_static": "e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1",
        "init_ephemeral": "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a",
        "resp_prologue": "4a6f686e2047616c74",
        "resp_psks": ["54686973206973206d7920417573747269616e20706572737065637469766521"],
        "resp_static": "4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893",
        "resp_ephemeral": "bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b",
        "handshake_hash": "a477edf6a131bbdb54707f6ea30eab6cd935d9b560f0e5fd1f053a95a99669fb",
        "messages": [
            {
                "payload": "4c756477696720766f6e204d69736573",
                "ciphertext": (
                    "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c7944c9f5ff0e"
                    "8079630cb7e270c20bbf480821b77a384a645c71a2fd9b3db1c16a5f"
                ),
            },
            {
                "payload": "4d757272617920526f746862617264",
                "ciphertext": (
                    "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f144808843b123def1"
                    "7f71e6ae8e57e0e1dec5949c5f7415c6f33517398747d821a06dc23ad430aa1fd7381d46"
                    "195c378a819fd574425462cbb2d4ca339e738a0b7001dc91423fbf55a99af0c6f1df2101"
                    "2ceb2f"
                ),
            },
            {
                "payload": "462e20412e20486179656b",
                "ciphertext": (
                    "52187316111b118d4c060364f7b975dc0809b2590779aff2d63113c564f11744493384db"
                    "7bf32d5ae6686df6ab06d508d2e07caaf1d6afc010b978735fc78900e71ae1d314130d04"
                    "2e729a"
                ),
            },
            {
                "payload": "4361726c204d656e676572",
                "ciphertext": "eaedc672d4c21e0e2955758756fb98f194c4e90d5deb5b6cf30b27",
            },
            {
                "payload": "4a65616e2d426170746973746520536179",
                "ciphertext": "522d543c5fe799d09a3d9da7ff54d0dc03c8af1dc7751d2ff708339d2290943e98",
            },
            {
                "payload": "457567656e2042f6686d20766f6e2042617765726b",
                "ciphertext": "7d4e2c3873eef6a213b04e72f9df60a91666072d3544c5d96c34a09e2329b5030bee796741",
            },
        ],
    },
    {
        "protocol_name": "Noise_KKpsk0_25519_ChaChaPoly_SHA256",
        "init_prologue": "4a6f686e2047616c74",
        "init_psks": ["54686973206973206d7920417573747269616e20706572737065637469766521"],
        "init_static": "e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1",
        "init_ephemeral": "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a",
        "init_remote_static": "31e0303fd6418d2f8c0e78b91f22e8caed0fbe48656dcf4767e4834f701b8f62",
        "resp_prologue": "4a6f686e2047616c74",
        "resp_psks": ["54686973206973206d7920417573747269616e20706572737065637469766521"],
        "resp_static": "4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893",
        "resp_ephemeral": "bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b",
        "resp_remote_static": "6bc3822a2aa7f4e6981d6538692b3cdf3e6df9eea6ed269eb41d93c22757b75a",
        "handshake_hash": "32afcdbb63cf90f25409090bc11f7546c534dfb03f37c1626a0cf758881e746f",
        "messages": [
            {
                "payload": "4c756477696720766f6e204d69736573",
                "ciphertext": (
                    "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c794423f19812"
                    "300a6051f02195db0722909fc920796814cfc886ab3a8083c66a5961"
                ),
            },
            {
                "payload": "4d757272617920526f746862617264",
                "ciphertext": (
                    "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f14480884320acfe86"
                    "6b4ede922f007d89dbf507216d6aa8646c7fba098da374b1784d4b"
                ),
            },
            {
                "payload": "462e20412e20486179656b",
                "ciphertext": "d213fdd768eeef05ee236c6d2983b2029bb472567a5831f4ff592c",
            },
            {
                "payload": "4361726c204d656e676572",
                "ciphertext": "facf98016edcfc2566b16866935329b4da833dcd3bbb4173cf638e",
            },
            {
                "payload": "4a65616e2d426170746973746520536179",
                "ciphertext": "f46e7b19ebc94d697afc64b7f7d78d9b89276a6fbd438985d68c5d0261f4d4b774",
            },
            {
                "payload": "457567656e2042f6686d20766f6e2042617765726b",
                "ciphertext": "84119bc1a1a5f97a338c7affb30242cf3111e95c41a07d5e289b160015156a93cb70e8e73d",
            },
        ],
    },
    {
        "protocol_name": "Noise_X1K1_448_AESGCM_BLAKE2b",
        "init_prologue": "4a6f686e2047616c74",
        "init_static": (
            "34d564c4be963d1b2a89fcfe83e6a72b5e3f5e3127f9f596ffc7575e418dfc1f4e827cfc10c9fed3"
            "8e92ad56ddf8f08571430df2e76d5411"
        ),
        "init_ephemeral": (
            "7fd26c8b8a0d5c98c85ff9ca1d7bc66d78578b9f2c4c170850748b27992767e6ea6cc9992a561c9d"
            "19dfc342e260c280ef4f3f9b8f879d4e"
        ),
        "init_remote_static": (
            "bd200fa6d50db3a743797b00aca1b70f417bfc381b28b21b5835d84cf7a6da6abba19e3ba7d46b25"
            "3412b74665d4627b65fcef3f29c95d3e"
        ),
        "resp_prologue": "4a6f686e2047616c74",
        "resp_static": (
            "a9b45971180882a79b89a3399544a425ef8136d278efa443ed67d3ff9d36e883bc330c6295bbf6ed"
            "73ff6fd10cbed767ad05ce03ebd27c7c"
        ),
        "resp_ephemeral": (
            "3facf7503ebee252465689f1d4e3b1dd219639ef9de4ffd6049d6d71a0f62126840febb99042421c"
            "e12af6626d98d9170260390fbc8399a5"
        ),
        "handshake_hash": (
            "266488011ddea9aca8f462cc9e1f49a0ad960646dc5d8636b94a0e2cf29919198bd736d8b238539b"
            "838a43298f093d4ffd23b0a00c87e1da2ddc0e6d6b06a146"
        ),
        "messages": [
            {
                "payload": "4c756477696720766f6e204d69736573",
                "ciphertext": (
                    "6cfcb98ae6b1bc5659cadc595bf664e17094404eae6b45fde6fc40ca937d1dbe1464cb66"
                    "eb21fdbaa487cd0d11d6dce5aa07b8219bfdc49a4c756477696720766f6e204d69736573"
                ),
            },
            {
                "payload": "4d757272617920526f746862617264",
                "ciphertext": (
                    "f7eb9a09468f9564819de07ada77a6cf5d5eacd84682067538bf2c4e4c905e5cc35cc3ff"
                    "41241e47ae3bd296477a236ef185e5a8a0f18d6544b20c771ce03caca739518b48812203"
                    "89dcec88750db51057ee079a703434"
                ),
            },
            {
                "payload": "462e20412e20486179656b",
                "ciphertext": (
                    "d1d7aea1d711a53b37722ad140cc84b2e8dc92b6f7e1f8ff7aed3e26ecd65e77d275a9a9"
                    "22c2f061213e792af5e84cba0ee478648ae8d5115a0dd435a2fcb43f3bad4bf76e1f51f9"
                    "195409cbeafb03d23f9e3d4ef15de193778d5a4198cf696b93e905"
                ),
            },
            {
                "payload": "4361726c204d656e676572",
                "ciphertext": "c61961741382522db1c158b8c2e98b8c0e0c07d10b960e702ecb8a",
            },
            {
                "payload": "4a65616e2d426170746973746520536179",
                "ciphertext": "c0f82f4de22d8bf231115d56b0c15d914204366b5003a4aff04b528d10e3085960",
            },
            {
                "payload": "457567656e2042f6686d20766f6e2042617765726b",
                "ciphertext": "123f38b20d3ce9d20aade25d02834154a9c4fb37e9454823c0d1efad22095e79f0dcc43b31",
            },
        ],
    },
    {
        "protocol_name": "Noise_Xpsk1_25519_AESGCM_BLAKE2s",
        "init_prologue": "4a6f686e2047616c74",
        "init_psks": ["54686973206973206d7920417573747269616e20706572737065637469766521"],
        "init_static": "e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1",
        "init_ephemeral": "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a",
        "init_remote_static": "31e0303fd6418d2f8c0e78b91f22e8caed0fbe48656dcf4767e4834f701b8f62",
        "resp_prologue": "4a6f686e2047616c74",
        "resp_psks": ["54686973206973206d7920417573747269616e20706572737065637469766521"],
        "resp_static": "4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893",
        "handshake_hash": "03fa758051e59865ef7aa5295581f521dde6542c475e1f3a1cc035209dfa80fc",
        "messages": [
            {
                "payload": "4c756477696720766f6e204d69736573",
                "ciphertext": (
                    "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c7944ac7afcec"
                    "9b6cfb6d9d745f85b848848cb863c15448d2b8edc3b3b1099103e9144b9314284dbbd872"
                    "185d3e8f5dd5272f183e02faaab1e53ebc61c1a247cba3590b47674d6115b39ab4619be9"
                    "afe81a00"
                ),
            },
            {
                "payload": "4d757272617920526f746862617264",
                "ciphertext": "c191a536616a9a829b867838e1762c7837a31090b872f43ec33fcc1fb6c045",
            },
            {
                "payload": "462e20412e20486179656b",
                "ciphertext": "a0a3e1d907aa218eae7b76b153d884671655252243eec5d582dc0d",
            },
            {
                "payload": "4361726c204d656e676572",
                "ciphertext": "758e6ec44944e74b66d0b6e8fbe8192954bb9f8870c8e4b5970aff",
            },
            {
                "payload": "4a65616e2d426170746973746520536179",
                "ciphertext": "3d1865c981e91522ec2e0de45e9e1da3d99ac8a3484d1a8c01f704f30bb0d61de2",
            },
            {
                "payload": "457567656e2042f6686d20766f6e2042617765726b",
                "ciphertext": "2966079780dfd8538905a91232517ca39b3cb384889d2401b6230222df0abc14fa45d90a52",
            },
        ],
    },
    {
        "protocol_name": "Noise_IK_25519_ChaChaPoly_SHA512",
        "init_prologue": "4a6f686e2047616c74",
        "init_static": "e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1",
        "init_ephemeral": "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a",
        "init_remote_static": "31e0303fd6418d2f8c0e78b91f22e8caed0fbe48656dcf4767e4834f701b8f62",
        "resp_prologue": "4a6f686e2047616c74",
        "resp_static": "4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893",
        "resp_ephemeral": "bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b",
        "handshake_hash": (
            "df5f46e7b80429fe9c587824b883d2c0a9e909d9be842e8d63797ca4815dd63bbbae8d2803a48ed7"
            "9e3646103362e6de02921f138529389854c7701638d98c85"
        ),
        "messages": [
            {
                "payload": "4c756477696720766f6e204d69736573",
                "ciphertext": (
                    "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c79447a2281c0"
                    "f1aee0c48c41333a1abbb349ee4bf12e09f8c4fd66635aabbb7dad346081a79f59e2cef8"
                    "12260cfe8c9e6a99d12f7c7ffc9fe5513818d9cf9b8778d1ebd1ce70c8f726d786983025"
                    "8a788910"
                ),
            },
            {
                "payload": "4d757272617920526f746862617264",
                "ciphertext": (
                    "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f144808843f5805045"
                    "1a0edd2a40bb8b0f6b51ea8094a07e3ed31ebc516b584fef6eaaaf"
                ),
            },
            {
                "payload": "462e20412e20486179656b",
                "ciphertext": "cae0b6af5460d026e80e22c27572a92048176872538f91a056a8df",
            },
            {
                "payload": "4361726c204d656e676572",
                "ciphertext": "ab1440d2b5892c638a11a7fa6412beaea5cee62342147f02d75a68",
            },
            {
                "payload": "4a65616e2d426170746973746520536179",
                "ciphertext": "0263ed778a193155c9947202e0b9d35eb46581a902449d091e1b6575a9a59fbeff",
            },
            {
                "payload": "457567656e2042f6686d20766f6e2042617765726b",
                "ciphertext": "95aedd9192351379cb063c8d5827d5529c7f2c8929552dd64c57029734737ea2a405255dcf",
            },
        ],
    },
]
