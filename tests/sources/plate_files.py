"""Tiny plates as microscopes write them: folders of TIFF files with what describes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tifffile
from numpy.typing import NDArray

SHAPE = (20, 30)
PIXEL = 0.65
STEP = 2.5
WELLS = ((1, 2), (2, 11))
"""Row and column, both counted from 1: A2 and B11."""
FIELDS, MOMENTS, CHANNELS, DEPTHS = 2, 2, 2, 3
WAVELENGTHS = ((405, 445), (488, 525))


class At(NamedTuple):
    row: int
    column: int
    field: int
    t: int
    c: int
    z: int


def all_planes() -> Iterator[At]:
    counts = (range(1, count + 1) for count in (FIELDS, MOMENTS, CHANNELS, DEPTHS))
    for (row, column), rest in product(WELLS, product(*counts)):
        yield At(row, column, *rest)


def pixels(at: At) -> NDArray[np.uint16]:
    """Unlike for each plane."""
    seed = sum(number * 10**k for k, number in enumerate(at))
    return np.random.default_rng(seed).integers(0, 60_000, SHAPE, dtype=np.uint16)


def field(row: int, column: int, number: int) -> NDArray[np.uint16]:
    """All planes of a field, along t, c, z, y and x."""
    out = np.zeros((MOMENTS, CHANNELS, DEPTHS, *SHAPE), np.uint16)
    for t, c, z in product(range(MOMENTS), range(CHANNELS), range(DEPTHS)):
        out[t, c, z] = pixels(At(row, column, number, t + 1, c + 1, z + 1))
    return out


def letter(row: int) -> str:
    return "ABCDEFGH"[row - 1]


def tiff(path: Path, at: At) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, pixels(at), metadata=None)


OPERETTA = """<?xml version="1.0" encoding="utf-8"?>
<EvaluationInputData xmlns="http://www.perkinelmer.com/PEHH/HarmonyV5" Version="2">
 <User>rat</User><InstrumentType>Phenix</InstrumentType>
 <Plates><Plate><PlateID>P1</PlateID><MeasurementID>m</MeasurementID>
  <MeasurementStartTime>2021-05-04T10:00:00.000+02:00</MeasurementStartTime><Name>livers</Name>
  <PlateTypeName>96</PlateTypeName><PlateRows>8</PlateRows><PlateColumns>12</PlateColumns>{wells}</Plate></Plates>
 <Wells>{described}</Wells>
 <Images>{images}</Images>
</EvaluationInputData>
"""

OPERETTA_IMAGE = """<Image Version="1"><id>{id}</id><State>Ok</State><URL>{name}</URL><Row>{at.row}</Row>
<Col>{at.column}</Col><FieldID>{at.field}</FieldID><PlaneID>{at.z}</PlaneID><TimepointID>{t}</TimepointID>
<ChannelID>{at.c}</ChannelID><FlimID>1</FlimID><ChannelName>{channel}</ChannelName><ImageType>Signal</ImageType>
<AcquisitionType>Confocal</AcquisitionType><IlluminationType>Epi</IlluminationType><ChannelType>Fluorescence</ChannelType>
<ImageResolutionX Unit="m">{pixel}</ImageResolutionX><ImageResolutionY Unit="m">{pixel}</ImageResolutionY>
<ImageSizeX>{width}</ImageSizeX><ImageSizeY>{height}</ImageSizeY><BinningX>1</BinningX><BinningY>1</BinningY>
<MaxIntensity>65536</MaxIntensity><CameraType>c</CameraType><PositionX Unit="m">{x}</PositionX>
<PositionY Unit="m">-0.0002</PositionY><PositionZ Unit="m">{z}</PositionZ><AbsPositionZ Unit="m">0.13</AbsPositionZ>
<MeasurementTimeOffset Unit="s">{seconds}</MeasurementTimeOffset><AbsTime>2021-05-04T10:00:00.000+02:00</AbsTime>
<MainExcitationWavelength Unit="nm">{excitation}</MainExcitationWavelength>
<MainEmissionWavelength Unit="nm">{emission}</MainEmissionWavelength>
<ObjectiveMagnification Unit="">20</ObjectiveMagnification>
<ObjectiveNA Unit="">0.8</ObjectiveNA><ExposureTime Unit="s">0.1</ExposureTime></Image>"""


def operetta_name(at: At) -> str:
    return f"r{at.row:02}c{at.column:02}f{at.field:02}p{at.z:02}-ch{at.c}sk{at.t}fk1fl1.tiff"


def operetta_image(at: At) -> str:
    excitation, emission = WAVELENGTHS[at.c - 1]
    return OPERETTA_IMAGE.format(
        id=f"{at.row:02}{at.column:02}K{at.t}F{at.field}P{at.z}R{at.c}",
        name=operetta_name(at),
        at=at,
        t=at.t - 1,
        channel=("Hoechst", "GFP")[at.c - 1],
        pixel=PIXEL * 1e-6,
        width=SHAPE[1],
        height=SHAPE[0],
        x=1e-4 * at.field,
        z=(at.z - 1) * STEP * 1e-6,
        seconds=(at.t - 1) * 30.0,
        excitation=excitation,
        emission=emission,
    )


def operetta(path: Path) -> None:
    for at in all_planes():
        tiff(path / "Images" / operetta_name(at), at)
    ids = [f"{row:02}{column:02}" for row, column in WELLS]
    described = "".join(
        f"<Well><id>{row:02}{column:02}</id><Row>{row}</Row><Col>{column}</Col>"
        + "".join(
            f'<Image id="{at.row:02}{at.column:02}K{at.t}F{at.field}P{at.z}R{at.c}" />'
            for at in all_planes()
            if at[:2] == (row, column)
        )
        + "</Well>"
        for row, column in WELLS
    )
    text = OPERETTA.format(
        wells="".join(f'<Well id="{each}" />' for each in ids),
        described=described,
        images="".join(map(operetta_image, all_planes())),
    )
    (path / "Images" / "Index.idx.xml").write_text(text, encoding="utf-8")


def operetta_6(path: Path) -> None:
    """What the images of a channel have in common stands in maps."""
    for at in all_planes():
        tiff(path / operetta_name(at), at)
    entries = "".join(
        f'<Entry ChannelID="{c}"><ChannelName>{name}</ChannelName><ImageResolutionX Unit="m">{PIXEL * 1e-6}'
        f'</ImageResolutionX><ImageResolutionY Unit="m">{PIXEL * 1e-6}</ImageResolutionY>'
        f'<MainEmissionWavelength Unit="nm">{WAVELENGTHS[c - 1][1]}</MainEmissionWavelength></Entry>'
        for c, name in ((1, "Hoechst"), (2, "GFP"))
    )
    images = "".join(
        f'<Image Version="1"><id>x</id><State>Ok</State><URL>{operetta_name(at)}</URL><Row>{at.row}</Row>'
        f"<Col>{at.column}</Col><FieldID>{at.field}</FieldID><PlaneID>{at.z}</PlaneID><TimepointID>{at.t}</TimepointID><ChannelID>{at.c}"
        f'</ChannelID><PositionZ Unit="m">{(at.z - 1) * STEP * 1e-6}</PositionZ></Image>'
        for at in all_planes()
    )
    text = f"<EvaluationInputData><Maps><Map>{entries}</Map></Maps><Images>{images}</Images></EvaluationInputData>"
    (path / "Index.xml").write_text(text, encoding="utf-8")


def htd(moments: int) -> str:
    cells = [[(row, column) in WELLS for column in range(1, 13)] for row in range(1, 9)]
    selection = "".join(
        f'"WellsSelection{k}", {", ".join(str(cell).upper() for cell in row)}\n' for k, row in enumerate(cells, 1)
    )
    return (
        '"HTSInfoFile", Version 1.0\n"Description", "rats"\n"PlateType", 6\n'
        f'"TimePoints", {moments}\n"ZSeries", TRUE\n"ZSteps", {DEPTHS}\n"ZProjection", FALSE\n'
        '"XWells", 12\n"YWells", 8\n'
        f'{selection}"Sites", TRUE\n"XSites", 2\n"YSites", 1\n"SiteSelection1", TRUE, TRUE\n"Waves", TRUE\n'
        f'"NWavelengths", {CHANNELS}\n"WaveName1", "DAPI"\n"WaveName2", "FITC"\n"WaveCollect1", 1\n"WaveCollect2", 1\n'
        '"UniquePlateIdentifier", "1-2-3"\n"EndFile"\n'
    )


def imagexpress(path: Path) -> None:
    for at in all_planes():
        name = f"rats_{letter(at.row)}{at.column:02}_s{at.field}_w{at.c}.tif"
        tiff(path / f"TimePoint_{at.t}" / f"ZStep_{at.z}" / name, at)
        (path / f"TimePoint_{at.t}" / f"ZStep_{at.z}" / name.replace(".tif", "_thumb.tif")).write_bytes(b"a picture")
    (path / "rats.HTD").write_text(htd(MOMENTS), encoding="latin-1")


def imagexpress_flat(path: Path) -> None:
    """Of a single moment and plane the files lie beside the text."""
    for at in all_planes():
        if at.t == at.z == 1:
            guid = "0A1B2C3D-0123-4567-89AB-0123456789AB"
            tiff(path / f"rats_{letter(at.row)}{at.column:02}_s{at.field}_w{at.c}{guid}.tif", at)
    (path / "rats.HTD").write_text(htd(1), encoding="latin-1")


BTS = 'xmlns:bts="http://www.yokogawa.co.jp/BTS/BTSSchema/1.0"'


def cellvoyager_name(at: At) -> str:
    return f"rats_{letter(at.row)}{at.column:02}_T{at.t:04}F{at.field:03}L01A01Z{at.z:02}C{at.c:02}.tif"


def cellvoyager(path: Path, planes: Iterable[At] = tuple(all_planes())) -> None:
    lines = []
    for at in planes:
        tiff(path / cellvoyager_name(at), at)
        lines.append(
            f'<bts:MeasurementRecord bts:Type="IMG" bts:Time="2023-09-18T13:{at.t:02}:00.000+02:00" '
            f'bts:Column="{at.column}" bts:Row="{at.row}" bts:TimePoint="{at.t}" bts:FieldIndex="{at.field}" '
            f'bts:ZIndex="{at.z}" bts:TimelineIndex="1" bts:ActionIndex="{at.c}" bts:Action="3D" '
            f'bts:X="{at.field * 100}.5" '
            f'bts:Y="-7" bts:Z="{(at.z - 1) * STEP}" bts:Ch="{at.c}">{cellvoyager_name(at)}</bts:MeasurementRecord>\n'
        )
    data = f'<?xml version="1.0" encoding="utf-8"?>\n<bts:MeasurementData bts:Version="1.0" {BTS}>\n{"".join(lines)}'
    (path / "MeasurementData.mlf").write_text(f"{data}</bts:MeasurementData>", encoding="utf-8-sig")
    channels = "".join(
        f'<bts:MeasurementChannel bts:Ch="{c}" bts:HorizontalPixelDimension="{PIXEL}" '
        f'bts:VerticalPixelDimension="{PIXEL}" '
        f'bts:CameraNumber="1" bts:InputBitDepth="16" bts:InputLevel="1" bts:HorizontalPixels="{SHAPE[1]}" '
        f'bts:VerticalPixels="{SHAPE[0]}" bts:FilterWheelPosition="1" bts:FilterPosition="1" />'
        for c in (1, 2)
    )
    (path / "MeasurementDetail.mrf").write_text(
        f'<bts:MeasurementDetail bts:Version="1.0" bts:Title="rats" bts:BeginTime="2023-09-18T13:58:39.4+02:00" '
        'bts:TargetSystem="CV8000" '
        f'bts:MeasurementSettingFileName="rats.mes" bts:ColumnCount="12" bts:RowCount="8" bts:TimePointCount="2" '
        f'bts:FieldCount="2" bts:ZCount="3" {BTS}>{channels}</bts:MeasurementDetail>',
        encoding="utf-8",
    )
    (path / "rats.wpi").write_text(
        f'<bts:WellPlate bts:Version="1.0" bts:Name="rats" bts:ProductID="1" bts:Usage="SamplePlate" bts:Columns="12" '
        f'bts:Rows="8" {BTS}><bts:Description>rats</bts:Description></bts:WellPlate>',
        encoding="utf-8",
    )
    lights = "".join(
        f'<bts:Channel bts:Ch="{c}" bts:Target="t{c}" bts:ObjectiveID="1" bts:Objective="20x" bts:Magnification="20" '
        f'bts:MethodID="1" bts:Method="Confocal" bts:FilterID="1" bts:Acquisition="BP{emission}/45" '
        'bts:ExposureTime="100" '
        f'bts:Binning="1" bts:Color="#FF0000FF" bts:MinLevel="0" bts:MaxLevel="1" bts:Kind="ConfocalFluorescence">'
        f"<bts:LightSourceName>{excitation}nm</bts:LightSourceName></bts:Channel>"
        for c, (excitation, emission) in enumerate(WAVELENGTHS, 1)
    )
    sources = "".join(
        f'<bts:LightSource bts:Name="{wave}nm" bts:Type="Laser" bts:WaveLength="{wave}" bts:Power="100" />'
        for wave, _ in WAVELENGTHS
    )
    (path / "rats.mes").write_text(
        f'<bts:MeasurementSetting bts:Version="1.0" bts:ProductID="1" bts:Columns="12" bts:Rows="8" {BTS}>'
        "<bts:Timelapse><bts:Timeline><bts:ActionList><bts:ActionAcquire3D><bts:Ch>1</bts:Ch></bts:ActionAcquire3D>"
        "<bts:ActionAcquire3D><bts:Ch>2</bts:Ch></bts:ActionAcquire3D></bts:ActionList></bts:Timeline></bts:Timelapse>"
        f"<bts:LightSourceList>{sources}</bts:LightSourceList><bts:ChannelList>{lights}</bts:ChannelList>"
        "</bts:MeasurementSetting>",
        encoding="utf-8",
    )


def cellvoyager_flat(path: Path) -> None:
    cellvoyager(path, [at for at in all_planes() if at.t == at.z == 1])


def wells(path: Path) -> None:
    for at in all_planes():
        if at.z == 1 and at.t == 1:
            tiff(path / f"rats_{letter(at.row)}{at.column:02}_s{at.field}_w{at.c}.tif", at)
    (path / "notes.csv").write_text("a,b\n", encoding="ascii")


def numbered(path: Path) -> None:
    for at in all_planes():
        if at.field == at.t == at.z == 1:
            tiff(path / f"Channel{at.c}-{at.column:02}-{letter(at.row)}-{at.column:02}.tif", at)


SAMPLES = {
    "operetta": {"operetta": operetta, "harmony6": operetta_6},
    "imagexpress": {"plate": imagexpress, "flat": imagexpress_flat},
    "cellvoyager": {"voyage": cellvoyager, "calm": cellvoyager_flat},
    "wells": {"named": wells, "numbered": numbered},
}
