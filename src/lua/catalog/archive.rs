//! `catalog.unzip` and `catalog.zip_members`: ZIP archives on the disk and on servers.

use std::path::{Path, PathBuf};

use mlua::{Lua, Table as LuaTable};

use super::values::several;
use crate::work;
use crate::catalog::archive::{self, Limits, Options};
use crate::catalog::transfer::parse_address;
use crate::bytes::http::Http;
use crate::error::{Error, Result};
use crate::lua::{Args, access};

fn is_remote(place: &str) -> bool {
    ["http://", "https://", "s3://"].iter().any(|scheme| place.starts_with(scheme))
}

pub fn unzip(lua: &Lua, args: &Args) -> Result<Vec<LuaTable>> {
    let place: String = args.get("archive")?;
    let policy = access(lua);
    let options = args.options(|o| {
        let limits = Limits::default();
        let path = Path::new(&place);
        let beside = path.parent().filter(|_| !is_remote(&place)).unwrap_or(Path::new("."));
        let into = o.get::<PathBuf>("into")?.unwrap_or(beside.to_path_buf());
        Ok(Options {
            into: policy.write(if into.as_os_str().is_empty() { Path::new(".") } else { &into })?,
            members: several(o, "members")?,
            delete: o.get_or("delete", false)?,
            overwrite: o.get_or("overwrite", false)?,
            limits: Limits {
                members: o.count("most_members")?.unwrap_or(limits.members),
                bytes: o.count("most_bytes")?.map_or(limits.bytes, |n| n as u64),
                ratio: o.positive("most_ratio")?.unwrap_or(limits.ratio),
            },
        })
    })?;
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
