"""Holds a folder that `perilune provenance --ro-crate` has made, or a zip of `perilune bundle export`, unpacked, against RO-Crate 1.1 and Process Run Crate 0.5, by roc-validator, without a network.

    pip install roc-validator==0.13.0 rocrate==0.16.0
    perilune provenance out/a.tif --ro-crate crate
    python tests/reference/crates.py crate

Answers 0 where the crate is valid by both profiles and, as a test of the test, copies of it without its result, and without the instrument of its action,
are not. The one document that the validator wants from the web, the JSON-LD context of RO-Crate, comes from the package rocrate.
"""

import importlib.resources
import json
import shutil
import sys
import tempfile
from pathlib import Path

import requests

CONTEXT = importlib.resources.files("rocrate").joinpath("data/ro-crate.jsonld").read_bytes()
ADDRESS = "https://w3id.org/ro/crate/1.1/context"


def answer(self, method, url, **_):
    response = requests.models.Response()
    response.url = url
    known = url.startswith(ADDRESS)
    response.status_code = 200 if known else 504
    response._content = CONTEXT if known and method.upper() == "GET" else b""
    response.headers["Content-Type"] = "application/ld+json"
    return response


def offline():
    """Whatever asks the web through requests or urllib gets the context, or nothing."""
    import io
    import urllib.error
    import urllib.request
    from email.message import Message

    requests.Session.request = answer
    try:
        import requests_cache

        requests_cache.CachedSession.request = answer
    except ImportError:
        pass

    class Known(urllib.request.BaseHandler):
        handler_order = 1

        def https_open(self, request):
            if not request.full_url.startswith(ADDRESS):
                raise urllib.error.URLError("there is no network here")
            headers = Message()
            headers["Content-Type"] = "application/ld+json"
            return urllib.request.addinfourl(io.BytesIO(CONTEXT), headers, request.full_url, 200)

        http_open = https_open

    urllib.request.install_opener(urllib.request.build_opener(Known))


offline()
from rocrate_validator import models, services  # noqa: E402


def issues(folder, profile):
    settings = services.ValidationSettings(
        rocrate_uri=str(folder), profile_identifier=profile, requirement_severity=models.Severity.REQUIRED, abort_on_first=False
    )
    result = services.validate(settings)
    return [] if result.passed() else [issue.message for issue in result.get_issues()]


def broken(folder, change):
    copy = Path(tempfile.mkdtemp()) / "crate"
    shutil.copytree(folder, copy)
    path = copy / "ro-crate-metadata.json"
    metadata = json.loads(path.read_text())
    change(copy, metadata["@graph"])
    path.write_text(json.dumps(metadata))
    return copy


def without_result(copy, entities):
    run = next(entity for entity in entities if entity["@id"] == "#run")
    results = run["result"] if isinstance(run["result"], list) else [run["result"]]
    result = copy / results[0]["@id"]
    shutil.rmtree(result) if result.is_dir() else result.unlink()


def without_instrument(_, entities):
    run = next(entity for entity in entities if entity["@id"] == "#run")
    del run["instrument"]


def main(folder):
    failed = False
    for profile in ("ro-crate-1.1", "process-run-crate-0.5"):
        for message in issues(folder, profile):
            print(f"{profile}: {message}")
            failed = True
    for change in (without_result, without_instrument):
        if not issues(broken(folder, change), "process-run-crate-0.5"):
            print(f"{change.__name__}: is taken for valid")
            failed = True
    print("not valid" if failed else "valid")
    return failed


sys.exit(main(Path(sys.argv[1])))
