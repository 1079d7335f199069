"""Makes calendars.txt: values of time axes and the dates that cftime makes of them.

    venv/bin/python calendars.py > calendars.txt      (cftime 1.6.6)

Dates of the calendars that the sky keeps (standard, julian) are told in the proleptic Gregorian one, as the days that they are.
"""

import random

import cftime

random.seed(7)
CALENDARS = ["standard", "gregorian", "proleptic_gregorian", "julian", "noleap", "365_day", "all_leap", "366_day", "360_day"]
SINCE = ["1-1-1", "0001-01-01", "1582-10-04 12:00", "1582-10-15", "1900-01-01 00:00:0.0", "1970-01-01T00:00:00Z",
         "2000-02-29" , "1992-10-8 15:15:42 -06:00", "1999-12-31 23:59:59 +0530", "1950-01-01 00:00:00 UTC"]
UNITS = {"days": 1, "hours": 24, "minutes": 1440, "seconds": 86400}

print("# value | units | calendar | date")
for calendar in CALENDARS:
    for since in SINCE:
        if (since == "2000-02-29" and calendar in ("noleap", "365_day")) or (since.startswith("1999-12-31") and calendar == "360_day"):
            continue
        for days in [0, 59, 59.5, 60, random.randint(0, 3000) + 0.125, random.randint(0, 600000), -random.randint(0, 300)]:
            name = random.choice(list(UNITS))
            value = days * UNITS[name]
            units = f"{name} since {since}"
            if value < 0 and since.startswith(("1-", "0001")):
                continue
            date = cftime.num2date(value, units.replace("UTC", "").strip(), calendar)
            if date.microsecond >= 500000:
                continue
            if calendar in ("standard", "gregorian", "julian"):
                date = date.change_calendar("proleptic_gregorian")
            print(f"{value!r}|{units}|{calendar}|{date.strftime('%Y-%m-%dT%H:%M:%S').replace(' ', '0')}")
