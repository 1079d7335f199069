//! `catalog.download`: files from archives.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use mlua::{Lua, Table as LuaTable, Value as LuaValue};

use super::item::LuaItem;
use super::items::LuaItems;
use super::values::listed;
use crate::bytes::http::{Http, wait};
use crate::catalog::transfer::{
    self, Assets, Buckets, Checksum, Event, Meter, Observer, Report, Row, Sources, Status, USD_PER_GB, Wanted, Web,
};
use crate::error::{Choice, Domain, Error, Result, counted, shown_bytes};
use crate::lua::options::OptionTable;
use crate::lua::value::{Several, describe};
use crate::options;
use crate::lua::{Args, FromScript, Options, access};
use crate::table::{Column, Table};
use crate::work::{self, PlannedStep, SideBySide};

/// What this process has asked of servers.
pub fn traffic(lua: &Lua, _: &Args) -> Result<LuaTable> {
    let (requests, bytes) = work::traffic();
    let table = lua.create_table()?;
    table.raw_set("requests", requests)?;
    table.raw_set("bytes", bytes)?;
    Ok(table)
}

pub fn download(lua: &Lua, args: &Args, o: DownloadTable) -> Result<(Table, LuaTable)> {
    let choice = Plan::of(lua, &o)?;
    let assets = Assets {
        names: listed(o.assets),
        folders: o.folders,
        skip_missing: o.missing == Missing::Skip,
        alternate: o.alternate,
    };
    let jobs = transfer::plan(wanted(&args.get("files")?, &assets)?)?;
    let http = Http::shared()?;
    let paid = jobs.iter().filter(|job| job.requester_pays);
    let paid = paid.filter_map(|job| job.url.host_str().map(str::to_string)).collect();
    let sources = Sources {
        web: Arc::new(Web(http)),
        s3: Some(Arc::new(Buckets::of_user(http, paid))),
        signer: None,
    };
    let totals = lua.create_table()?;
    totals.raw_set("files", jobs.len())?;
    if choice.dry_run {
        let found = wait(transfer::estimate(sources, jobs, &choice.options, choice.usd_per_gb))?;
        totals.raw_set("bytes", found.bytes)?;
        totals.raw_set("unknown", found.unknown)?;
        totals.raw_set("present", found.report.count(Status::Present))?;
        totals.raw_set("paid_bytes", found.paid_bytes)?;
        totals.raw_set("cost_usd", found.cost_usd)?;
        totals.raw_set("free_bytes", found.free)?;
        let report = if choice.raise { found.report.whole()? } else { found.report };
        return Ok((table(&report)?, totals));
    }
    if let Some(rehearsal) = work::rehearsal() {
        let found = wait(transfer::estimate(sources, jobs, &choice.options, choice.usd_per_gb))?;
        let path = access(lua).shown(&choice.options.dir).display().to_string();
        for row in &found.report.rows {
            rehearsal.promise(&access(lua).write(&row.path)?);
        }
        rehearsal.tell(PlannedStep {
            does: "download",
            path,
            what: counted(found.report.rows.len(), "file"),
            downloads: (found.unknown == 0).then_some(found.bytes),
            cost_usd: (found.paid_bytes > 0).then_some(found.cost_usd),
            ..PlannedStep::default()
        });
        for name in ["bytes", "received"] {
            totals.raw_set(name, found.bytes)?;
        }
        let present = found.report.count(Status::Present);
        totals.raw_set("fetched", found.report.rows.len() - present)?;
        totals.raw_set("present", present)?;
        totals.raw_set("failed", found.report.count(Status::Failed))?;
        totals.raw_set("seconds", 0)?;
        let report = if choice.raise { found.report.whole()? } else { found.report };
        return Ok((table(&report)?, totals));
    }
    let observer = Arc::new(Bars::new());
    let report = wait(transfer::download(sources, jobs, choice.options, observer.clone()));
    drop(observer);
    let report = report?;
    totals.raw_set("bytes", report.bytes())?;
    totals.raw_set("received", report.received())?;
    totals.raw_set("fetched", report.count(Status::Fetched))?;
    totals.raw_set("present", report.count(Status::Present))?;
    totals.raw_set("failed", report.count(Status::Failed))?;
    totals.raw_set("seconds", report.seconds)?;
    let report = if choice.raise { report.whole()? } else { report };
    Ok((table(&report)?, totals))
}

#[derive(Clone, Copy, PartialEq)]
pub enum Missing {
    Error,
    Skip,
}

impl Choice for Missing {
    const ALL: &'static [(&'static str, Self)] = &[("error", Missing::Error), ("skip", Missing::Skip)];
}

#[derive(Clone, Copy, PartialEq)]
pub enum OnError {
    Raise,
    Report,
}

impl Choice for OnError {
    const ALL: &'static [(&'static str, Self)] = &[("raise", OnError::Raise), ("report", OnError::Report)];
}

options! {
    pub struct DownloadTable("catalog.DownloadOptions") {
        /// The folder, which is made if it is not there.
        dir: PathBuf,
        /// Files at once from one host. Default 4.
        parallel: Option<usize>; Domain::at_least(1.0),
        /// Files at once from all hosts. Default 16.
        at_once: Option<usize>; Domain::at_least(1.0),
        /// The assets of items to fetch. Default: those with the role `data`, or, where none has it, that called `data` or the only one.
        assets: Option<Several<String>>,
        /// One folder an item, named by its id; without it two files of one name are an error.
        folders: bool = false,
        /// Items that lack an asset.
        missing: Missing = Missing::Error,
        /// The alternate address to use where an asset has it, such as `"s3"`.
        alternate: Option<String>,
        /// Hold the size and checksum of the catalogue, and a checksum that the server sends, against what comes.
        checksum: bool = true,
        /// Fetch also files that are there, and replace them.
        overwrite: bool = false,
        /// Only ask how much would come and what it would cost.
        dry_run: bool = false,
        /// The price of bytes of requester-pays stores, in US dollars for 10^9 bytes; an assumption: what AWS asks for bytes that leave it.
        usd_per_gb: f64 = USD_PER_GB; Domain::at_least(0.0),
        /// Seconds to wait for a server that is still making a file (status 202), up to a week.
        patience: f64 = 3600.0; Domain::within(0.0, 604_800.0).in_unit("seconds"),
        /// What a file that fails makes: an error once all others are through, or a row of the report.
        on_error: OnError = OnError::Raise,
    }
}

/// What a download is to do.
struct Plan {
    options: transfer::DownloadOptions,
    dry_run: bool,
    usd_per_gb: f64,
    raise: bool,
}

impl Plan {
    fn of(lua: &Lua, o: &DownloadTable) -> Result<Plan> {
        let mut options = transfer::DownloadOptions::new(access(lua).write(&o.dir)?);
        if let Some(parallel) = o.parallel {
            options.per_host = parallel;
            options.at_once = options.at_once.max(parallel);
        }
        if let Some(at_once) = o.at_once {
            options.at_once = at_once;
        }
        options.overwrite = o.overwrite;
        options.verify = o.checksum;
        options.patience = Duration::from_secs_f64(o.patience);
        Ok(Plan {
            options,
            dry_run: o.dry_run,
            usd_per_gb: o.usd_per_gb,
            raise: o.on_error == OnError::Raise,
        })
    }
}

/// Items, or a list of addresses, tables with an address, and items.
fn wanted(files: &LuaValue, assets: &Assets) -> Result<Vec<Wanted>> {
    if let Some(items) = LuaItems::accept(files) {
        let mut out = Vec::new();
        for item in items.0.items.iter() {
            out.extend(transfer::of_items([&*item?], assets)?);
        }
        return Ok(out);
    }
    if let Some(item) = LuaItem::accept(files) {
        return transfer::of_items([&*item.get()?], assets);
    }
    let list: Vec<LuaValue> = match files {
        LuaValue::String(_) => vec![files.clone()],
        LuaValue::Table(table) if table.raw_len() == 0 && !table.is_empty() => vec![files.clone()],
        other => FromScript::from_script(other, "files")?,
    };
    let mut out = Vec::new();
    for (index, entry) in list.iter().enumerate() {
        let name = format!("files[{}]", index + 1);
        match entry {
            LuaValue::String(text) => out.push(Wanted::new(transfer::parse_address(&text.to_string_lossy())?)),
            LuaValue::Table(_) => out.push(Options::read(entry, &name, DownloadFile::read)?.wanted()?),
            other => match LuaItem::accept(other) {
                Some(item) => out.extend(transfer::of_items([&*item.get()?], assets)?),
                None => {
                    let expected = "an address, a table { url = … }, or an Item";
                    return Err(Error::argument(name, expected, describe(other)));
                }
            },
        }
    }
    Ok(out)
}

options! {
    pub struct DownloadFile("catalog.DownloadFile") {
        /// The address: `https://…` or `s3://…`.
        url: String,
        /// The path below the folder, such as `"scene/hh.tif"`. Default: the last part of the address.
        name: Option<String>,
        /// Bytes, as published.
        size: Option<u64>,
        /// MD5, SHA-1, SHA-256 or SHA-512 in hexadecimal digits, or a multihash.
        checksum: Option<String>,
        /// Whoever fetches it pays the store.
        requester_pays: Option<bool>,
    }
}

impl DownloadFile {
    fn wanted(self) -> Result<Wanted> {
        let mut wanted = Wanted::new(transfer::parse_address(&self.url)?);
        wanted.name = self.name;
        wanted.size = self.size;
        wanted.checksum = self.checksum.map(|text| Checksum::parse(&text)).transpose()?;
        wanted.requester_pays = self.requester_pays.unwrap_or(wanted.requester_pays);
        Ok(wanted)
    }
}

/// One row a file.
fn table(report: &Report) -> Result<Table> {
    let text = |of: &dyn Fn(&Row) -> Option<String>| Column::texts(report.rows.iter().map(of));
    let number = |of: &dyn Fn(&Row) -> Option<u64>| {
        Column::integers(report.rows.iter().map(|row| of(row).map(|n| i64::try_from(n).unwrap_or(i64::MAX))))
    };
    let full = |text: &str| Some(text.to_string()).filter(|text| !text.is_empty());
    Table::new(vec![
        ("name".into(), text(&|row| full(&row.name))),
        ("path".into(), text(&|row| full(&row.path.to_string_lossy()))),
        ("bytes".into(), number(&|row| row.bytes)),
        ("received".into(), number(&|row| Some(row.received))),
        ("status".into(), text(&|row| full(row.status.name()))),
        ("verified".into(), Column::bools(report.rows.iter().map(|row| Some(row.verified)))),
        ("how".into(), text(&|row| full(&row.how))),
        ("url".into(), text(&|row| full(&row.url))),
        ("error".into(), text(&|row| row.error.clone())),
    ])
}

/// Draws what happens.
struct Bars {
    shown: Box<dyn SideBySide>,
    meter: Meter,
    files: AtomicUsize,
    ended: AtomicUsize,
    failed: AtomicUsize,
    /// Bytes that are here, and bytes that will be as far as sizes are known.
    here: AtomicU64,
    all: AtomicU64,
}

impl Bars {
    fn new() -> Bars {
        Bars {
            shown: work::progress().side_by_side("download"),
            meter: Meter::new(Duration::from_secs(10)),
            files: AtomicUsize::new(0),
            ended: AtomicUsize::new(0),
            failed: AtomicUsize::new(0),
            here: AtomicU64::new(0),
            all: AtomicU64::new(0),
        }
    }

    fn text(&self) -> String {
        let get = |n: &AtomicUsize| n.load(Ordering::Relaxed);
        let (here, all) = (self.here.load(Ordering::Relaxed), self.all.load(Ordering::Relaxed));
        let mut text = format!("{} of {} files, {}", get(&self.ended), get(&self.files), shown_bytes(here));
        if all > here {
            text.push_str(&format!(" of {}", shown_bytes(all)));
        }
        text.push_str(&format!(", {}/s", shown_bytes(self.meter.rate() as u64)));
        if let Some(left) = self.meter.seconds_left(all.saturating_sub(here)).filter(|_| all > here) {
            text.push_str(&format!(", {left:.0} s left"));
        }
        if get(&self.failed) > 0 {
            text.push_str(&format!(", {} failed", get(&self.failed)));
        }
        text
    }
}

impl Observer for Bars {
    fn planned(&self, files: usize, bytes: u64) {
        self.files.store(files, Ordering::Relaxed);
        self.all.store(bytes, Ordering::Relaxed);
    }

    fn tell(&self, file: usize, event: Event<'_>) {
        match event {
            Event::Started { name, from, size } => {
                self.here.fetch_add(from, Ordering::Relaxed);
                self.shown.begin(file, name, from, size);
            }
            Event::Arrived(bytes) => {
                self.here.fetch_add(bytes, Ordering::Relaxed);
                self.meter.count(bytes);
                self.shown.advance(file, bytes);
            }
            Event::Sized { name, size } => {
                self.all.fetch_add(size, Ordering::Relaxed);
                self.shown.begin(file, name, 0, Some(size));
            }
            Event::Present(bytes) => {
                self.here.fetch_add(bytes, Ordering::Relaxed);
            },
            Event::Restarted(bytes) => {
                let less = |here: u64| Some(here.saturating_sub(bytes));
                let _ = self.here.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
                self.shown.restart(file);
            }
            Event::Waits { name, reason, .. } => self.shown.waits(file, name, reason),
            Event::Ended { failed } => {
                self.ended.fetch_add(1, Ordering::Relaxed);
                self.failed.fetch_add(usize::from(failed), Ordering::Relaxed);
                self.shown.end(file);
            }
        }
        self.shown.whole(&|| self.text());
    }
}
