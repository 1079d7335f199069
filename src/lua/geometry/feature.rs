//! The class Feature: one feature, taken out of its collection.

use mlua::IntoLua;

use super::values::properties_table;
use crate::bind_class;
use crate::lua::tables::values::to_lua;
use crate::lua::{Builder, Class};
use crate::vector::Features;

/// A collection of one, so that the CRS is with it.
pub struct OneFeature(pub Features);

bind_class!(OneFeature);

impl Class for OneFeature {
    const NAME: &'static str = "Feature";

    fn define(c: &mut Builder<Self>) {
        c.field("geometry", |_, this| Ok(this.0.geometry(0)))
            .field("id", |lua, this| match &this.0.features[0].id {
                Some(id) => to_lua(lua, id),
                None => Ok(mlua::Value::Nil),
            })
            .field("properties", |lua, this| properties_table(lua, &this.0.features[0].properties))
            .dynamic_fields(
                |lua, this, name| match this.0.features[0].properties.get(name) {
                    Some(value) => to_lua(lua, value).map(Some),
                    None => Ok(None),
                },
                |this| this.0.features[0].properties.names().map(str::to_string).collect(),
            )
            .text(|this| match this.0.geometry(0) {
                Some(geometry) => format!("feature: {geometry}"),
                None => "feature without geometry".to_string(),
            })
            .show(|_, this| {
                let mut text = match this.0.geometry(0) {
                    Some(geometry) => format!("feature: {geometry}"),
                    None => "feature without geometry".to_string(),
                };
                for (name, value) in this.0.features[0].properties.iter() {
                    text.push_str(&format!("\n  {name}: {value}"));
                }
                Ok(text)
            });
    }
}

impl OneFeature {
    pub fn of(features: &Features, index: usize) -> Option<OneFeature> {
        let feature = features.features.get(index)?.clone();
        Some(OneFeature(Features::new(vec![feature], features.crs.clone())))
    }

    pub fn into_value(self, lua: &mlua::Lua) -> crate::error::Result<mlua::Value> {
        Ok(self.into_lua(lua)?)
    }
}
