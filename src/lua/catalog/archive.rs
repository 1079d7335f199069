//! `catalog.unzip` and `catalog.zip_members`: ZIP archives on the disk and on servers.

use std::path::{Path, PathBuf};

use mlua::{Lua, Table as LuaTable};

use super::values::listed;
use crate::work;
use crate::catalog::archive::{self, Limits, UnzipOptions};
use crate::catalog::transfer::parse_address;
use crate::bytes::http::Http;
use crate::error::{Domain, Error, Result};
use crate::lua::value::Several;
use crate::lua::{Args, access};
use crate::options;

fn is_remote(place: &str) -> bool {
    ["http://", "https://", "s3://"].iter().any(|scheme| place.starts_with(scheme))
}

options! {
    pub struct UnzipTable("catalog.UnzipOptions") {
        /// The folder. Default: that of the archive; for one on a server, the working folder.
        into: Option<PathBuf>,
        /// Names of members; `*` stands for any text and `?` for one character. Default: all.
        members: Option<Several<String>>,
        /// Remove the archive once its members are on the disk.
        delete: bool = false,
        /// Replace files that are there and differ.
        overwrite: bool = false,
        /// Refuse archives with more members.
        most_members: usize = Limits::default().members; Domain::at_least(1.0),
        /// Refuse archives that unpack to more bytes.
        most_bytes: u64 = Limits::default().bytes; Domain::at_least(1.0),
        /// Refuse archives that unpack to more than a gigabyte and to more than this times their size.
        most_ratio: f64 = Limits::default().ratio; Domain::above(0.0),
    }
}

pub fn unzip(lua: &Lua, args: &Args, o: UnzipTable) -> Result<Vec<LuaTable>> {
    let place: String = args.get("archive")?;
    let policy = access(lua);
    let path = Path::new(&place);
    let beside = path.parent().filter(|_| !is_remote(&place)).unwrap_or(Path::new("."));
    let into = o.into.unwrap_or(beside.to_path_buf());
    let options = UnzipOptions {
        into: policy.write(if into.as_os_str().is_empty() { Path::new(".") } else { &into })?,
        members: listed(o.members),
        delete: o.delete,
        overwrite: o.overwrite,
        limits: Limits {
            members: o.most_members,
            bytes: o.most_bytes,
            ratio: o.most_ratio,
        },
    };
    if let Some(rehearsal) = work::rehearsal() {
        return Err(rehearsal.wants(format!("the members of {place}")));
    }
    let members = if is_remote(&place) {
        if options.delete {
            return Err(Error::argument("delete", "left out for an archive on a server", "true"));
        }
        archive::remote_unzip(Http::shared()?, &parse_address(&place)?, &options)?
    } else {
        let path = if options.delete { policy.write(&place)? } else { policy.read(&place)? };
        archive::unzip(&path, &options)?
    };
    members
        .into_iter()
        .map(|member| {
            let row = lua.create_table()?;
            row.raw_set("name", member.name)?;
            row.raw_set("path", policy.shown(&member.path).to_string_lossy().into_owned())?;
            row.raw_set("bytes", member.bytes)?;
            row.raw_set("present", member.present)?;
            Ok(row)
        })
        .collect()
}

pub fn zip_members(lua: &Lua, args: &Args) -> Result<Vec<LuaTable>> {
    let place: String = args.get("archive")?;
    let members = match is_remote(&place) {
        true => archive::remote_members(Http::shared()?, &parse_address(&place)?)?,
        false => archive::members(&access(lua).read(&place)?)?,
    };
    members
        .into_iter()
        .filter(|member| !member.folder)
        .map(|member| {
            let row = lua.create_table()?;
            row.raw_set("name", member.name)?;
            row.raw_set("bytes", member.bytes)?;
            row.raw_set("packed_bytes", member.packed)?;
            row.raw_set("crc32", format!("{:08x}", member.crc32))?;
            Ok(row)
        })
        .collect()
}
