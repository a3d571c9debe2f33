"""The command line: ``diascope serve|index|mount|check|bids|info|ls|get|sample|formats|doctor``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from diascope import __version__
from diascope.errors import DiascopeError, Malformed

DEBUG = "diascope.debug"
MAPPING = click.Path(exists=True, dir_okay=False, path_type=Path)


class _PlaceType(click.Path):
    """A path of this machine, or the URL of a store, which is left as it is."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if isinstance(value, str) and "://" in value else super().convert(value, param, ctx)


class _Commands(click.Group):
    """Errors are one clear line, of a document one each, and exit code 2; with ``--debug`` a traceback as well."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (DiascopeError, OSError) as error:
            if ctx.meta.get(DEBUG):
                raise
            for line in str(error).splitlines() if isinstance(error, Malformed) else [str(error)]:
                click.echo(f"diascope: {' '.join(line.split())}", err=True)
            sys.exit(2)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="diascope")
@click.option("--debug", is_flag=True, help="Show where an error comes from.")
@click.pass_context
def main(context: click.Context, *, debug: bool) -> None:
    """Images where they lie, transformed on the way, in the format each tool wants."""
    context.meta[DEBUG] = debug


@main.command()
@click.argument("folders", nargs=-1, type=_PlaceType(exists=True, file_okay=False, path_type=Path))
@click.option("--host", help="The address to listen on.  [default: 127.0.0.1]")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="The port to listen on; 0 takes a free one.  [default: 8400]"
)
@click.option("--follow-links", is_flag=True, help="Let symbolic links lead out of the folders.")
@click.option("--arrange", multiple=True, type=MAPPING, help="Serve them as this mapping file arranges them, too.")
def serve(
    folders: tuple[Path | str, ...],
    host: str | None,
    port: int | None,
    arrange: tuple[Path, ...],
    *,
    follow_links: bool,
) -> None:
    """Serve FOLDERS of images, each as a repository of its name, beside those of diascope.toml.

    A folder is one of this machine or of a store: s3://bucket/prefix, gs://, az://, http:// or https://, whose
    credentials come from the environment.
    """
    from diascope.commands.serve import run, settings_for

    run(settings_for(folders, host, port, arrange, follow_links=follow_links))


@main.command()
@click.argument("folders", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
def index(folders: tuple[Path, ...]) -> None:
    """Look into all FOLDERS, or the repositories of diascope.toml, so that the first search finds everything at once.

    `serve` does so by itself while it serves. What was begun goes on where it was broken off.
    """
    from diascope.commands.index import run
    from diascope.commands.serve import settings_for

    for line in run(settings_for(folders, None, None, follow_links=False)):
        click.echo(line)


@main.command()
@click.argument("places", nargs=-1, required=True, metavar="[ADDRESS] MOUNTPOINT")
@click.option("--allow-other", is_flag=True, help="Let other users of this machine in.")
@click.option("--arrange", type=MAPPING, help="Mount the folder as this mapping file arranges it.")
def mount(places: tuple[str, ...], arrange: Path | None, *, allow_other: bool) -> None:
    """Mount what lies at ADDRESS on the folder MOUNTPOINT, read-only, until Ctrl+C.

    ADDRESS is a folder of images, or the URL of a Diascope server: http://localhost:8400/data/images. Without it all
    repositories of diascope.toml are mounted.
    """
    from diascope.commands.mount import run

    *address, mountpoint = places
    if len(address) > 1:
        raise click.UsageError("give one address and one mountpoint")
    run(address[0] if address else None, Path(mountpoint), arrange, others=allow_other)


@main.command()
@click.argument("mapping", type=MAPPING)
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--quick", is_flag=True, help="Open no image.")
def check(mapping: Path, folder: Path | None, *, quick: bool) -> None:
    """Say what is wrong with the arrangement that MAPPING makes of FOLDER, or of the repositories of diascope.toml.

    Every file is looked up, and every image opened; what is wrong makes the exit code 1.
    """
    from diascope.commands.check import report

    wrong = False
    for line, is_wrong in report(mapping, folder, quick=quick):
        click.echo(line)
        wrong |= is_wrong
    sys.exit(1 if wrong else 0)


@main.group()
def bids() -> None:
    """Show a folder of images as a BIDS dataset."""


@bids.command(short_help="Propose a mapping for a folder.")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="[default: FOLDER/bids.yaml]")
def init(folder: Path, output: Path | None) -> None:
    """Propose a mapping for FOLDER: what varies in its paths becomes subjects, samples and so on."""
    from diascope.commands.bids import proposed

    for line in proposed(folder, output or folder / "bids.yaml"):
        click.echo(line)


@bids.command("check", short_help="Say what a mapping lacks.")
@click.argument("mapping", type=MAPPING)
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
def bids_check(mapping: Path, folder: Path | None) -> None:
    """Say what the dataset that MAPPING makes of FOLDER lacks, each with the line it is about.

    Without FOLDER it is made of the repositories of diascope.toml, or of the folder that MAPPING lies in. Every image
    is opened. Errors make the exit code 1, warnings do not.
    """
    from diascope.commands.bids import checked

    wrong = False
    for line, is_wrong in checked(mapping, folder):
        click.echo(line)
        wrong |= is_wrong
    sys.exit(1 if wrong else 0)


@main.command()
@click.argument("file", type=_PlaceType(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def info(file: Path | str, *, as_json: bool) -> None:
    """Print what the image FILE is: a path, or a URL such as s3://bucket/cells.czi."""
    from diascope.commands.info import told

    click.echo(told(file, as_json=as_json))


@main.command()
@click.argument("address")
@click.option("-l", "--long", is_flag=True, help="Print sizes and types too.")
@click.option("--most", default=1000, show_default=True, help="How many entries are printed at the most.")
def ls(address: str, most: int, *, long: bool) -> None:
    """List what lies at ADDRESS: a folder, an image, a view or a representation.

    An address is a path on this machine or in a store with views and representations behind it, or the URL of a
    Diascope server: images/cells.tif/render, s3://bucket/cells.tif or http://localhost:8400/data/images.
    """
    from diascope.commands.ls import lines

    for line in lines(address, most, long=long):
        click.echo(line)


@main.command()
@click.argument("address")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--overwrite", is_flag=True, help="Replace what is at TARGET.")
def get(address: str, target: Path, *, overwrite: bool) -> None:
    """Write the representation at ADDRESS to TARGET, a file or, for representations of many files, a folder.

    For example: diascope get images/cells.tif/original/cells.ome.zarr cells.ome.zarr
    """
    from diascope.commands.get import written

    written(address, target, overwrite=overwrite)


@main.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def sample(folder: Path) -> None:
    """Generate a few small images in FOLDER to try things out with."""
    from diascope.commands.sample import sample as write

    write(folder)
    click.echo(f"The sample images are in {folder}")


@main.command("formats")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def formats_(*, as_json: bool) -> None:
    """Print which formats are read, by which library, and what installs those that are missing."""
    from diascope.commands.formats import told

    click.echo(told(as_json=as_json))


@main.command()
def doctor() -> None:
    """Say what works on this machine and what is missing, with the command that mends it."""
    from diascope.commands.doctor import report

    text, well = report()
    click.echo(text)
    sys.exit(0 if well else 1)
