"""The addresses of the pages, and what is read from an answer."""

from html.parser import HTMLParser
from urllib.parse import urlencode

from django.urls import reverse

HOSTS = {
    "dashboard": "rawdatapackage",
    "failures": "datatransfer",
    "search": "rawdatapackage",
    "trends": "rawdatapackage",
    "why": "rawdatapackage",
    "where": "physicalcopy",
    "night": "executedobsunit",
    "observation": "executedobsunit",
    "sky": "source",
    "source": "source",
    "program": "observingprogram",
    "unit": "obsunit",
    "location": "datalocation",
    "dataflow": "datatransferroute",
}


def page(name, *args, **query):
    """The address of a page."""
    url = reverse(f"admin:opsdb_{HOSTS[name]}_{name}", args=args)
    return f"{url}?{urlencode(query)}" if query else url


class Reader(HTMLParser):
    """What a browser finds in a page: its tags, its links and its text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.links, self.text = [], [], ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append((tag, attributes))
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])

    def handle_data(self, data):
        self.text += data

    def classes(self):
        return {name for _tag, attributes in self.tags for name in (attributes.get("class") or "").split()}


def read(response):
    """Read an answer."""
    assert response.status_code == 200, response.status_code
    return Reader(response.content.decode())


def dashboard_of(response):
    """Read only the dashboard of an answer."""
    html = response.content.decode()
    begin, end = html.find("data-opsdb-refresh"), html.find('<div id="content-main">')
    return None if begin < 0 else Reader(html[begin : end if end > begin else None])
