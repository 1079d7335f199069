"""The peer of the case `stac`: all items of a service by pystac-client; their ids go to a file.

    python stac.py ADDRESS PAGE IDS        (run by the Python of the STAC service, which has pystac-client)
"""

import sys

from pystac_client import Client

address, page, ids = sys.argv[1:]
items = list(Client.open(address).search(limit=int(page)).items())
with open(ids, "w") as file:
    file.writelines(item.id + "\n" for item in items)
