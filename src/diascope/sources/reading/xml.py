"""XML of strangers, parsed without entities."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from diascope.errors import Unreadable

MAX_XML = 1 << 25
"""Bytes of a document: a tree of it takes some ten times the memory."""

MOST_MARKS = 1 << 22
"""How many elements, ends of elements and attributes a document has: small ones take forty times their bytes."""


def check_xml(text: str, name: str) -> None:
    """Raise Unreadable where parsing the text might take more than its size allows."""
    if len(text) > MAX_XML:
        raise Unreadable(f"{name}: an XML description of {len(text)} characters, the limit is {MAX_XML}")
    if text.count("<") + text.count("=") > MOST_MARKS:
        raise Unreadable(f"{name}: its XML description has more than {MOST_MARKS} elements and attributes")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise Unreadable(f"{name}: its XML description declares a document type or entities, which is refused")


def parsed_xml(text: str, name: str) -> ET.Element:
    """The root of a document; raises Unreadable where it is none or where it declares entities."""
    check_xml(text, name)
    try:
        return ET.fromstring(text)  # noqa: S314 - entities are refused above
    except ET.ParseError as error:
        raise Unreadable(f"{name}: its XML description cannot be parsed: {error}") from error


def local(element: ET.Element) -> str:
    """The tag without its namespace."""
    return element.tag.rpartition("}")[2]


def children(element: ET.Element | None, tag: str) -> list[ET.Element]:
    """The direct children of this name in any namespace."""
    return [child for child in element if local(child) == tag] if element is not None else []


def child(element: ET.Element | None, tag: str) -> ET.Element | None:
    """The first of them."""
    found = children(element, tag)
    return found[0] if found else None


def text(element: ET.Element | None) -> str:
    """What stands in an element, empty where there is none."""
    return (element.text or "").strip() if element is not None else ""
