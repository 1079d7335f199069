//! The class Geometry.

use mlua::{MetaMethod, UserDataRef};

use super::values::{GeoJson, Transform, bounds_list};
use crate::bind_class;
use crate::error::Result;
use crate::lua::{Args, Builder, Class};
use crate::options;
use crate::raster::Crs;
use crate::vector::Geometry;

bind_class!(Geometry);

impl Class for Geometry {
    const NAME: &'static str = "Geometry";

    fn define(c: &mut Builder<Self>) {
        c.field("type", |_, this| Ok(this.type_name()))
            .field("crs", |_, this| Ok(this.crs.as_ref().map(|crs| crs.name().to_string())))
            .text(|this| this.to_string())
            .operator(MetaMethod::Eq, |_, args| {
                let (a, b) = (args.get::<UserDataRef<Geometry>>("left")?, args.get::<UserDataRef<Geometry>>("right")?);
                Ok(*a == *b)
            });
        c.method("area()", |_, this, _| Ok(this.area()))
            .method("length()", |_, this, _| Ok(this.length()))
            .method("distance(other)", |_, this, args| this.distance(&other(args)?))
            .method("bounds()", |lua, this, _| bounds_list(lua, this.bounds()))
            .method("centroid()", |_, this, _| Ok(this.centroid()))
            .method("interior_point()", |_, this, _| Ok(this.interior_point()))
            .method("position()", |_, this, _| {
                let centre = this.centroid().and_then(|p| p.bounds());
                Ok((centre.map(|b| b.min_x), centre.map(|b| b.min_y)))
            })
            .method("is_empty()", |_, this, _| Ok(this.is_empty()))
            .method("vertex_count()", |_, this, _| Ok(this.vertex_count()))
            .method("parts()", |lua, this, _| Ok(lua.create_sequence_from(this.parts())?))
            .method("validity()", |_, this, _| Ok(this.validity()))
            .method("make_valid()", |_, this, _| this.make_valid());
        c.method("intersects(other)", |_, this, args| this.intersects(&other(args)?))
            .method("contains(other)", |_, this, args| this.contains(&other(args)?))
            .method("intersection(other)", |_, this, args| this.intersection(&other(args)?))
            .method("union(other)", |_, this, args| this.union(&other(args)?))
            .method("difference(other)", |_, this, args| this.difference(&other(args)?))
            .method("symmetric_difference(other)", |_, this, args| this.symmetric_difference(&other(args)?))
            .method_with("buffer(distance, options?)", |_, this, args, o: Buffer| {
                this.buffer(args.get("distance")?, o.segments)
            })
            .method("simplify(tolerance)", |_, this, args| this.simplify(args.get("tolerance")?))
            .method("convex_hull()", |_, this, _| Ok(this.convex_hull()));
        c.method_with("to_crs(crs, options?)", |_, this, args, o: Transform| {
            this.to_crs(&args.get::<Crs>("crs")?, o.densify)
        })
            .method("set_crs(crs)", |_, this, args| Ok(this.clone().with_crs(args.get("crs")?)))
            .method("to_wkt()", |_, this, _| Ok(this.to_wkt()))
            .method_with("to_geojson(options?)", |_, this, _, o: GeoJson| this.to_geojson(&o.into()));
    }
}

options! {
    struct Buffer("Geometry.BufferOptions") {
        /// Straight pieces a quarter circle: with 16 the radius is right within 0.1 %, never too large.
        segments: u32 = 16; Geometry::SEGMENTS,
    }
}

fn other(args: &Args) -> Result<Geometry> {
    args.get::<super::Shapes>("other")?.geometry()
}
