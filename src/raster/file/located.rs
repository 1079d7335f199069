//! Images that have their place by ground control points or rational polynomial coefficients, through GDAL's transformers, or by
//! geolocation arrays.
//!
//! # Source
//! Thin plate splines: Duchon 1977, doi:10.1007/BFb0086566, which pass through every point. Rational polynomials: RPC00B of STDI-0002,
//! and GDAL's RFC 22, <https://gdal.org/development/rfc/rfc22_rpc.html>, at the coefficients' own mean height. Geolocation arrays: GDAL's RFC 4,
//! <https://gdal.org/development/rfc/rfc4_geolocate.html>

use std::ffi::{c_char, c_int, c_void};
use std::sync::{Arc, Mutex, PoisonError};

use crate::described;
use crate::raster::describe::{Described, Description, Site, from_json, to_json};
use gdal::cpl::CslStringList;
use gdal::{Dataset, Gcp, Metadata};
use ndarray::Array2;
use serde_json::Value as Json;

use super::encoding::{Attributes, Encoding, Mask, reported_type};
use super::layout::Layout;
use super::open::OpenOptions;
use super::pool::{SourceFile, Stated, changed_since_described};
use super::read::FileBand;
use super::transfer::Part;
use super::truncated::container_of;
use super::{is_special, last_message, message_of, reset_message};
use crate::error::{Error, Result};
use crate::raster::crs::Locator;
use crate::raster::swath::{Nodes, Swath};
use crate::raster::{Crs, Grid, Kind, Window};

/// Points up to here are passed through exactly; solving for a spline takes the third power of their number.
const MOST_SPLINE_POINTS: usize = 1500;
/// Fewer points than this are not told from their errors: GDAL's polynomial of them has an order that they determine twice over.
const FEWEST_SPLINE_POINTS: usize = 10;

/// The way that GDAL knows between the pixels of a file and the map.
pub struct FromFile {
    file: Arc<SourceFile>,
    crs: Crs,
    means: String,
    /// Options of GDAL's transformer.
    options: Vec<(&'static str, String)>,
    points: Vec<[f64; 4]>,
    /// Transformers that nobody uses at the moment.
    idle: Mutex<Vec<Transformer>>,
}

/// GDAL's transformer, which has copied what it needs of the dataset that it was made of.
struct Transformer(*mut c_void);

// SAFETY: GDAL's transformers may move between threads; one is used by one thread at a time.
unsafe impl Send for Transformer {}

impl Drop for Transformer {
    fn drop(&mut self) {
        // SAFETY: made by GDALCreateGenImgProjTransformer2 and released once.
        unsafe { gdal_sys::GDALDestroyGenImgProjTransformer(self.0) }
    }
}

/// What an open image without a transform is placed by; None where there is nothing.
///
/// # Errors
/// When there is something that leads nowhere.
pub fn of(dataset: &Dataset, file: &Arc<SourceFile>) -> Result<Option<Arc<dyn Locator>>> {
    let arrays = dataset.metadata_domain("GEOLOCATION").unwrap_or_default();
    // Of the swaths of HDF4, GDAL has some points of the arrays as control points, too.
    if item(&arrays, "X_DATASET").is_some() {
        return Ok(Some(Arc::new(swath(file, &arrays)?)));
    }
    Ok(by_points(dataset, file)?.map(|found| Arc::new(found) as Arc<dyn Locator>))
}

/// By its ground control points, or its rational polynomials.
fn by_points(dataset: &Dataset, file: &Arc<SourceFile>) -> Result<Option<FromFile>> {
    let points: Vec<[f64; 4]> = dataset
        .gcps()
        .iter()
        .map(|p| [p.pixel(), p.line(), p.x(), p.y()])
        .collect();
    let rpc = dataset.metadata_domain("RPC").unwrap_or_default();
    let (crs, means, options) = if !points.is_empty() {
        let crs = match dataset.gcp_projection() {
            Some(wkt) if !wkt.is_empty() => Crs::from_wkt(&wkt)?,
            // Points without a CRS lead to no map.
            _ => return Ok(None),
        };
        let method = match points.len() {
            FEWEST_SPLINE_POINTS..=MOST_SPLINE_POINTS => "GCP_TPS",
            _ => "GCP_POLYNOMIAL",
        };
        let means = format!("{} ground control points", points.len());
        (crs, means, vec![("METHOD", method.to_string())])
    } else if !rpc.is_empty() {
        let height = item(&rpc, "HEIGHT_OFF").unwrap_or_else(|| "0".to_string());
        let means = format!("rational polynomials at a height of {height} m");
        let options = vec![("METHOD", "RPC".to_string()), ("RPC_HEIGHT", height)];
        (Crs::wgs84()?, means, options)
    } else {
        return Ok(None);
    };
    let found = FromFile {
        file: file.clone(),
        crs,
        means,
        options,
        points,
        idle: Mutex::default(),
    };
    // Said now rather than by empty pixels later.
    let made = found.make()?;
    found
        .idle
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(made);
    Ok(Some(found))
}

/// By GDAL's domain of metadata for geolocation arrays.
fn swath(file: &Arc<SourceFile>, arrays: &[String]) -> Result<Swath> {
    let stated = item(arrays, "SRS").and_then(|wkt| Crs::from_wkt(&wkt).ok());
    if let Some(crs) = stated.filter(|crs| !crs.is_geographic()) {
        return Err(Error::file(
            &file.path,
            format!("its geolocation arrays are in {crs}, not in degrees, which is not known here"),
        ));
    }
    let (mut lon, mut lat) = (array(file, arrays, "X")?, array(file, arrays, "Y")?);
    if lon.nrows() == 1 && lat.nrows() == 1 {
        // One list for the columns and one for the rows.
        let shape = (lat.ncols(), lon.ncols());
        Swath::check_size(shape.0, shape.1)?;
        (lon, lat) = (
            Array2::from_shape_fn(shape, |(_, c)| lon[(0, c)]),
            Array2::from_shape_fn(shape, |(r, _)| lat[(0, r)]),
        );
    }
    let number = |key: &str, default: f64| {
        let stated = item(arrays, key).and_then(|text| text.trim().parse().ok());
        stated.unwrap_or(default)
    };
    let centred = item(arrays, "GEOREFERENCING_CONVENTION").as_deref() == Some("PIXEL_CENTER");
    let half = if centred { 0.5 } else { 0.0 };
    let nodes = Nodes {
        offset: (
            number("PIXEL_OFFSET", 0.0) + half,
            number("LINE_OFFSET", 0.0) + half,
        ),
        step: (number("PIXEL_STEP", 1.0), number("LINE_STEP", 1.0)),
    };
    Swath::new(lon, lat, nodes, (file.rows, file.cols)).map_err(|e| Error::file(&file.path, e.to_string()))
}

/// One of the two arrays, X or Y, with its scale and offset applied.
fn array(file: &Arc<SourceFile>, arrays: &[String], which: &str) -> Result<Array2<f64>> {
    let missing = || Error::file(&file.path, format!("names no geolocation array of {which}"));
    let name = item(arrays, &format!("{which}_DATASET")).ok_or_else(missing)?;
    let number = item(arrays, &format!("{which}_BAND")).and_then(|text| text.trim().parse().ok());
    // Libraries that open files by themselves get no name that the file made up.
    if is_special(&name) && container_of(&name) != container_of(&file.name) {
        return Err(Error::file(
            &file.path,
            format!(
                "has its geolocation array in another file, {name}; open that one and give it: {{ geolocation = … }}"
            ),
        ));
    }
    // Its rows are in the order of the image's.
    let layout = file.layout.clone().filter(|layout| *layout == Layout::AsStored);
    let (source, lent) = SourceFile::laid_out(&file.path, &name, layout)?;
    Swath::check_size(source.rows, source.cols)?;
    let number: usize = number.unwrap_or(1);
    let fail = |e: gdal::errors::GdalError| Error::file(&file.path, message_of(&e));
    let dataset = lent.dataset()?;
    let band = dataset.rasterband(number).map_err(fail)?;
    let reported = reported_type(&source, &band, number)?;
    let attributes = Attributes::of(&source, dataset, &band)?;
    let encoding = Encoding::of(
        &source,
        dataset,
        &band,
        reported,
        &attributes,
        &OpenOptions::default(),
    )?;
    let shape = (source.rows, source.cols);
    let reader = FileBand {
        file: source.clone(),
        band: number,
        kind: Kind::F64,
        encoding,
        mask: Mask::None,
        upward: false,
        block: shape,
    };
    drop(lent);
    let whole = Window::new(0, 0, shape.0, shape.1);
    Ok(reader.read(&Part::all(whole))?.into_f64())
}

fn item(items: &[String], key: &str) -> Option<String> {
    items
        .iter()
        .find_map(|item| item.strip_prefix(key)?.strip_prefix('=').map(str::to_string))
}

impl FromFile {
    fn make(&self) -> Result<Transformer> {
        let fail = |text: String| {
            Error::file(
                &self.file.path,
                format!("its {} cannot be used to place it: {text}", self.means),
            )
        };
        let lent = self.file.lend()?;
        let mut options = CslStringList::new();
        for (name, value) in &self.options {
            options
                .set_name_value(name, value)
                .map_err(|e| fail(e.to_string()))?;
        }
        reset_message();
        // SAFETY: the dataset is open; the options outlive the call; no target is asked for.
        let handle = unsafe {
            gdal_sys::GDALCreateGenImgProjTransformer2(
                lent.dataset()?.c_dataset(),
                std::ptr::null_mut(),
                options.as_ptr().cast::<*mut c_char>(),
            )
        };
        if handle.is_null() {
            return Err(fail(last_message()));
        }
        Ok(Transformer(handle))
    }

    /// Has one of the transformers do something, or makes another for it.
    fn with<R>(&self, work: impl FnOnce(*mut c_void) -> R) -> Result<R> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let found = idle.pop();
        drop(idle);
        let transformer = match found {
            Some(transformer) => transformer,
            None => self.make()?,
        };
        let result = work(transformer.0);
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(transformer);
        Ok(result)
    }
}

impl Described for FromFile {
    const NAME: &'static str = "raster.place_of_file";
    const VERSION: u32 = 1;

    fn parameters(&self) -> Result<Json> {
        to_json(&Stated::of(&self.file))
    }

    fn again(parameters: &Json, site: &Site) -> Result<FromFile> {
        let (file, lent) = from_json::<Stated>(Self::NAME, parameters)?.open(site)?;
        by_points(lent.dataset()?, &file)?.ok_or_else(|| changed_since_described(&file.path))
    }

    fn check(&self, site: &Site) -> Result<()> {
        site.takes(0).map(drop)
    }
}

described!(FromFile, Locator);

impl Locator for FromFile {
    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn means(&self) -> String {
        self.means.clone()
    }

    fn crs(&self) -> &Crs {
        &self.crs
    }

    fn points(&self) -> &[[f64; 4]] {
        &self.points
    }

    fn apply(&self, to_map: bool, xs: &mut [f64], ys: &mut [f64]) {
        let nowhere = |xs: &mut [f64], ys: &mut [f64]| xs.iter_mut().chain(ys).for_each(|v| *v = f64::NAN);
        let count = xs.len().min(ys.len());
        let Ok(n) = c_int::try_from(count) else {
            return nowhere(xs, ys);
        };
        // What is nowhere already must not reach GDAL's arithmetic of whole numbers.
        let lost: Vec<bool> = xs
            .iter()
            .zip(ys.iter())
            .map(|(x, y)| !(x.is_finite() && y.is_finite()))
            .collect();
        for (i, _) in lost.iter().enumerate().filter(|(_, lost)| **lost) {
            (xs[i], ys[i]) = (0.0, 0.0);
        }
        let mut heights = vec![0.0; count];
        let mut good: Vec<c_int> = vec![0; count];
        // SAFETY: all arrays hold `n` elements; nobody else uses the transformer meanwhile.
        let done = self.with(|transformer| unsafe {
            gdal_sys::GDALGenImgProjTransform(
                transformer,
                c_int::from(!to_map),
                n,
                xs.as_mut_ptr(),
                ys.as_mut_ptr(),
                heights.as_mut_ptr(),
                good.as_mut_ptr(),
            )
        });
        if done.is_err() {
            return nowhere(xs, ys);
        }
        for i in 0..count {
            if lost[i] || good[i] == 0 || !(xs[i].is_finite() && ys[i].is_finite()) {
                (xs[i], ys[i]) = (f64::NAN, f64::NAN);
            }
        }
    }
}

/// Writes the control points of a grid in pixel coordinates, or part of one, to an image of it.
pub fn write(dataset: &Dataset, grid: &Grid) -> gdal::errors::Result<bool> {
    let Some(locator) = grid.crs.as_ref().and_then(Crs::locator) else {
        return Ok(false);
    };
    let points = locator.points().iter().enumerate().map(|(i, &[col, row, x, y])| {
        let (pixel, line) = grid.to_pixel(col, row);
        Gcp {
            id: (i + 1).to_string(),
            info: String::new(),
            pixel,
            line,
            x,
            y,
            z: 0.0,
        }
    });
    let points: Vec<Gcp> = points.collect();
    match locator.crs().spatial_ref() {
        Ok(reference) if !points.is_empty() => dataset.set_gcps(points, &reference).map(|()| true),
        _ => Ok(false),
    }
}
