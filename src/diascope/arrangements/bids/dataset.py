"""A BIDS dataset made of the images of a repository, with its derivatives.

https://bids-specification.readthedocs.io/en/stable/modality-agnostic-files/dataset-description.html. A derivative is a
whole dataset of its own in ``derivatives/{name}``: it says which view it is of which raw dataset.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from typing import Any

from diascope.arrangements.arrangement import Arrangement, Written
from diascope.arrangements.bids.findings import Finding, error
from diascope.arrangements.bids.mapping import Bids, Derivative
from diascope.arrangements.bids.names import MICR, stem
from diascope.arrangements.bids.plan import Plan, plan
from diascope.arrangements.bids.sheets import PARTICIPANTS, SAMPLES, SESSIONS, Kind, Labels, Sheet, sheet
from diascope.arrangements.bids.shown import EXTENSIONS, Shown, derived, raw, wrong
from diascope.arrangements.contents import Contents, Made, Trouble
from diascope.arrangements.seen import Seen
from diascope.errors import DiascopeError

VERSION = "1.11.1"
"""Of BIDS."""
JSON = "application/json"
TSV = "text/tab-separated-values; charset=utf-8"
MARKDOWN = "text/markdown; charset=utf-8"
STANDARD_SPACES = frozenset({"MNI152NLin2009cAsym", "MNI152NLin6Asym", "fsaverage", "fsLR", "T1w"})

README = """\
# {name}

This BIDS dataset is a view, made on the fly by Diascope {version}: its images lie elsewhere, as they are, and are shown
here under the names and in the formats of BIDS. Nothing was converted and nothing is stored twice.

{what}
"""


@dataclass(slots=True)
class Dataset:
    """A dataset while it is laid out."""

    seen: Seen
    plan: Plan
    contents: Contents = field(default_factory=Contents)
    shown: dict[str, Shown] = field(default_factory=dict)
    """The raw images by their paths without extension."""

    def tell(self, finding: Finding) -> None:
        self.plan.findings.append(finding)

    def add_raw(self) -> None:
        """The images and tables, and what says what they are."""
        for each in self.plan.images:
            try:
                self.shown[each.stem] = raw(self.seen, self.plan, each)
            except DiascopeError as reason:
                told = wrong(self.plan, each, reason)
                self.tell(told)
                usual = EXTENSIONS["ome-tiff" if each.kind.datatype == MICR else "nifti"]
                self.contents.add(f"{each.stem}{usual}", Trouble(told.told()))
            else:
                self.add_image(each.stem, self.shown[each.stem])
        readme = self.plan.written.says.readme or _readme(self.plan)
        self.add_tables("", _description(self.plan), readme)
        self.plan.findings += [finding for _, each in _sheets(self.plan) for finding in each.findings]

    def add_image(self, path: str, shown: Shown) -> None:
        self.contents.add(f"{path}{shown.extension}", shown.link)
        self.contents.add(f"{path}.json", _json(shown.sidecar))
        self.plan.findings += shown.findings

    def add_tables(self, folder: str, description: dict[str, Any], readme: str) -> None:
        # Those of all images in a derivative too: the validator takes every participants.tsv for the first it reads.
        self.contents.add(f"{folder}dataset_description.json", _json(description))
        self.contents.add(f"{folder}README.md", Made(readme.encode, MARKDOWN))
        for path, each in _sheets(self.plan):
            self.contents.add(f"{folder}{path}.tsv", Made(each.tsv, TSV))
            self.contents.add(f"{folder}{path}.json", _json(dict(each.meanings)))

    def add_derivative(self, name: str, spec: Derivative) -> None:
        """A dataset of every image under a view, without those that the view or the names do not fit."""
        line, where = self.plan.line("derivatives", name), self.plan.written.name
        if spec.space and spec.space not in STANDARD_SPACES and "SpatialReference" not in spec.metadata:
            told = f"derivatives.{name}: metadata.SpatialReference is missing: {spec.space} is no known space"
            self.tell(error(where, line, told))
        count = 0
        for each in self.plan.images:
            if each.stem not in self.shown or (spec.suffixes and each.kind.name not in spec.suffixes):
                continue
            try:
                path = stem(each.kind, {**each.entities, **_labels(spec)}, derivative=True)
                self.add_image(
                    f"derivatives/{name}/{path}", derived(self.seen, self.plan, each, self.shown[each.stem], spec)
                )
                count += 1
            except (DiascopeError, ValueError) as reason:
                self.tell(error(each.path, None, f"derivatives.{name}: {reason} ({where}:{line})"))
        if not count:
            self.tell(error(where, line, f"derivatives.{name}: it has no image"))
            return
        text = f"Each image is the view `{spec.view}` of an image of the raw dataset, which its sidecar names."
        readme = README.format(name=f"{self.plan.written.says.name}: {name}", version=_version(), what=text)
        self.add_tables(f"derivatives/{name}/", _derivative_description(self.plan, name, spec), readme)


def contents(seen: Seen, written: Written[Bids]) -> Contents:
    """The files of the dataset."""
    return laid_out(seen, written)[0]


def laid_out(seen: Seen, written: Written[Bids]) -> tuple[Contents, list[Finding]]:
    """The files of the dataset, and what is wrong with them."""
    made = Dataset(seen, plan(seen, written))
    made.add_raw()
    for name, spec in written.says.derivatives.items():
        made.add_derivative(name, spec)
    findings = [*made.plan.findings, *(error(written.name, None, told) for told in made.contents.problems)]
    made.contents.problems[:] = [each.told() for each in findings if each.weight == "error"]
    made.contents.notes[:] = [each.told() for each in findings if each.weight == "warning"]
    return made.contents, findings


@cache
def _version() -> str:
    # Installed packages are looked through for it.
    return version("diascope")


def _labels(spec: Derivative) -> dict[str, str]:
    entities = {"space": spec.space, "resolution": spec.res, "description": spec.desc}
    return {entity: value for entity, value in entities.items() if value}


def _description(made: Plan) -> dict[str, Any]:
    says = made.written.says
    told = f"A view of the repository {made.repository.name}, made on the fly."
    return {
        "Name": says.name,
        "BIDSVersion": VERSION,
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "Diascope", "Version": _version(), "Description": told}],
    } | says.dataset


def _derivative_description(made: Plan, name: str, spec: Derivative) -> dict[str, Any]:
    by = {
        "Name": "Diascope",
        "Version": _version(),
        "Description": f"The view {spec.view} of each image of the raw dataset, made on the fly.",
        "View": spec.view,
    }
    kept = {key: value for key, value in made.written.says.dataset.items() if key in {"License", "Authors", "Funding"}}
    return {
        "Name": f"{made.written.says.name}: {name}",
        "BIDSVersion": VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [by],
        "SourceDatasets": [{"URL": "../.."}],
        "DatasetLinks": {"raw": "../.."},
    } | kept


def _readme(made: Plan) -> str:
    counts = f"{len(made.wanted(PARTICIPANTS))} participants, {len(made.images)} images"
    text = f"There are {counts}. What is known of them stands in the tables, and in the JSON file beside each image."
    return README.format(name=made.written.says.name, version=_version(), what=text)


def _sheets(made: Plan) -> Iterator[tuple[str, Sheet]]:
    """The tables of the dataset by their paths without their extension."""
    yield "participants", _sheet(made, PARTICIPANTS, made.wanted(PARTICIPANTS))
    if any(each.kind.datatype == MICR for each in made.images):
        yield "samples", _sheet(made, SAMPLES, made.wanted(SAMPLES))
    spec = made.written.says.sessions
    if spec.file or spec.values:
        sessions = made.wanted(SESSIONS)
        for subject in dict.fromkeys(subject for _, subject in sessions):
            wanted = [labels for labels in sessions if labels[1] == subject]
            yield f"sub-{subject}/sub-{subject}_sessions", _sheet(made, SESSIONS, wanted, ("subject",))


def _sheet(made: Plan, kind: Kind, wanted: list[Labels], within: tuple[str, ...] = ()) -> Sheet:
    return sheet(made.sources[kind.name], wanted, made.written.name, made.line(kind.name), within)


def _json(document: Mapping[str, Any]) -> Made:
    data = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False).encode() + b"\n"
    return Made(lambda: data, JSON)


arrangement = Arrangement(name="bids", title="BIDS dataset", parameters=Bids, contents=contents)
