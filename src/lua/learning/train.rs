//! `learning.train` and the class Training.

use std::path::PathBuf;

use mlua::{Lua, UserDataRef};
use serde_json::{Map, json};

use super::augment::{AugmentOptions, normalisation};
use super::dataset::DatasetHandle;
use crate::bind_class;
use crate::error::{Choice, Domain, Error, Result};
use crate::files;
use crate::learning::dataset::Side;
use crate::learning::dataset::batches::BatchSettings;
use crate::learning::network::{Encoder, Plan, UNet, Weights, encoder, start, whole};
use crate::learning::onnx;
use crate::learning::torch::{self, Device};
use crate::learning::training::{
    About, Best, Chips, Epoch, Kind, Loss, Made, Pace, Patience, Report, Settings, Trainer, train,
};
use crate::lua::access;
use crate::lua::args::Args;
use crate::lua::class::{Builder, Class};
use crate::lua::module::Module;
use crate::lua::options::Nested;
use crate::lua::plot::{FigureHandle, Size};
use crate::lua::raster::Tags;
use crate::lua::rehearsal::is_told;
use crate::options;
use crate::work::{self, Display, Form, provenance};

pub fn define(m: &mut Module) -> Result<()> {
    m.class::<Training>();
    m.function_with("train(dataset, options)", trained)?;
    Ok(())
}

/// What the network is trained to make small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LossKind {
    CrossEntropy,
    Dice,
    Focal,
}

impl Choice for LossKind {
    const ALL: &'static [(&'static str, Self)] = &[
        ("cross_entropy", LossKind::CrossEntropy),
        ("dice", LossKind::Dice),
        ("focal", LossKind::Focal),
    ];
}

const POSITIVE: Domain = Domain::above(0.0);
const FROM_ZERO: Domain = Domain::at_least(0.0);
const COUNTS: Domain = Domain::within(1.0, 1e6);

options! {
    struct TrainOptions("learning.TrainOptions") {
        /// The folder that holds the state of training: it goes on from there where there is one.
        checkpoint: PathBuf,
        /// The ONNX file that gets the best model, whenever there is a better one.
        model: PathBuf,
        /// Of the U-Net.
        encoder: Encoder = Encoder::ResNet18,
        /// What the whole network starts from: `.safetensors`, `.pt` or `.pth` with the names of segmentation_models_pytorch.
        weights: Option<PathBuf>,
        /// What the encoder starts from: torchvision's file of ImageNet weights, or a whole network's.
        encoder_weights: Option<PathBuf>,
        /// At most so many passes over the training chips.
        epochs: usize = 100; COUNTS,
        /// Chips in a batch.
        batch: usize = 8; BatchSettings::SIZES,
        /// Batches whose gradients are summed for one step.
        accumulate: usize = 1; COUNTS,
        /// Of the first epoch.
        learning_rate: f64 = 1e-4; POSITIVE,
        /// Which optimiser.
        optimiser: Kind = Kind::Adam,
        /// How strongly weights are drawn to 0.
        weight_decay: f64 = 0.0; FROM_ZERO,
        /// What is made small.
        loss: LossKind = LossKind::CrossEntropy,
        /// One a class, for `cross_entropy`. Default: 1 each.
        class_weights: Option<Vec<f32>>,
        /// Of `focal`: how little the easy pixels count.
        gamma: f64 = 2.0; FROM_ZERO,
        /// Epochs without a better validation loss after which the learning rate is halved.
        halve_after: usize = 10; COUNTS,
        /// Below which it does not fall.
        least_learning_rate: f64 = 0.0; FROM_ZERO,
        /// Epochs without a better validation loss after which training ends.
        stop_after: usize = 80; COUNTS,
        /// What the best epoch is known by, of the validation chips: their loss, or their mean IoU.
        best_by: Best = Best::Loss,
        /// What is done to training chips so that each is another one each time.
        augment: Option<Nested<AugmentOptions>>,
        /// Whether bands are brought to mean 0 and standard deviation 1 of the training chips.
        normalise: bool = true,
        /// What masked pixels become, after normalisation.
        fill: f64 = 0.0; Domain::FINITE,
        /// Under which terms the model may be used, such as `CC-BY-4.0`. It lies in the model, as do the next two.
        licence: Option<String>,
        /// Where the model comes from.
        source: Option<String>,
        /// What else is to be known of the training, such as `{ DENOISED = "tv_bregman 0.35" }`: under `training` of the model's metadata.
        notes: Option<Tags>,
        /// `auto`, a graphics card where there is one that works, else the CPU; `cpu`; `cuda`, or `cuda:1` for the second card. Default `"auto"`, without a note where
        /// there is no card.
        device: Option<String>,
        /// Of the first weights, the order of chips, and the augmentations.
        seed: usize = 1,
    }
}

impl TrainOptions {
    fn loss(&self) -> Result<Loss> {
        match (self.loss, &self.class_weights) {
            (LossKind::CrossEntropy, weights) => Ok(Loss::CrossEntropy {
                weights: weights.clone(),
            }),
            (other, Some(_)) => Err(Error::argument(
                "class_weights",
                "given with loss = \"cross_entropy\" only",
                format!("them with loss = {:?}", other.name()),
            )),
            (LossKind::Dice, None) => Ok(Loss::Dice),
            (LossKind::Focal, None) => Ok(Loss::Focal { gamma: self.gamma }),
        }
    }
}

fn trained(lua: &Lua, args: &Args, o: TrainOptions) -> Result<Training> {
    let dataset = args.get::<UserDataRef<DatasetHandle>>("dataset")?.0.clone();
    let access = access(lua);
    let (folder, model) = (access.write(&o.checkpoint)?, access.write(&o.model)?);
    let readable = |path: &Option<PathBuf>| path.as_ref().map(|path| access.read(path)).transpose();
    let (of_whole, of_encoder) = (readable(&o.weights)?, readable(&o.encoder_weights)?);
    let network = UNet {
        encoder: o.encoder,
        channels: dataset.scenes.first().map_or(0, |scene| scene.image.bands.len()),
        classes: dataset.classes.len(),
    };
    let mut settings = Settings {
        made: Made {
            network,
            bands: dataset
                .scenes
                .first()
                .map_or(Vec::new(), |scene| scene.image.band_names())
                .into_iter()
                .map(str::to_string)
                .collect(),
            classes: dataset.classes.names().to_vec(),
            loss: o.loss()?,
            optimiser: o.optimiser,
            learning_rate: o.learning_rate,
            weight_decay: o.weight_decay,
            accumulate: o.accumulate,
            seed: o.seed as u64,
        },
        epochs: o.epochs,
        patience: Patience {
            halving: o.halve_after,
            least_learning_rate: o.least_learning_rate,
            stop: o.stop_after,
        },
        best: o.best_by,
        device: Device::default(),
    };
    network.check()?;
    settings.made.loss.check(network.classes)?;
    if is_told(lua, "train", &folder) {
        is_told(lua, "write", &model);
        return Ok(Training(Report::none(network, dataset.classes.names())));
    }
    settings.device = torch::choose(o.device.as_deref())?;
    std::fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
    let normalisation = normalisation(&dataset, o.normalise)?;
    let chips = Chips::new(
        dataset.clone(),
        BatchSettings {
            side: Side::Training,
            size: o.batch,
            shuffle: true,
            seed: o.seed as u64,
            epoch: 0,
            augment: o
                .augment
                .map_or_else(Default::default, |Nested(augment)| augment.into()),
            normalisation,
            fill: o.fill as f32,
        },
    )?;
    let plan = network.plan();
    let first = || -> Result<Weights> {
        let mut weights = match &of_whole {
            Some(path) => whole(&plan, path)?,
            None => start(&plan, o.seed as u64),
        };
        if let Some(path) = &of_encoder {
            encoder(&plan, path, &mut weights)?;
        }
        Ok(weights)
    };
    let exported = Exported {
        path: model,
        about: About {
            licence: o.licence,
            source: o.source,
        },
        notes: o.notes.map_or(Vec::new(), |Tags(notes)| notes),
        chips: &chips,
        plan: &plan,
        made: settings.made.clone(),
    };
    let mut all = Pace::default();
    let each = |trainer: &Trainer, epoch: &Epoch, pace: Pace| {
        all.add(pace);
        tell(trainer.epochs().len(), epoch, pace);
        match trainer.best() == Some(trainer.epochs().len()) {
            true => exported.write(&trainer.weights()?, epoch, trainer.epochs().len()),
            false => Ok(()),
        }
    };
    let found = train(settings, &chips, &folder, first, each)?;
    // Of a training that was over before, the file may be gone.
    if let Some(epoch) = found.epochs.get(found.best - 1) {
        exported.write(&found.weights, epoch, found.best)?;
    }
    Ok(Training(Report {
        network,
        classes: dataset.classes.names().to_vec(),
        epochs: found.epochs,
        best: found.best,
        pace: all,
    }))
}

fn tell(number: usize, epoch: &Epoch, pace: Pace) {
    let overall = epoch.confusion().overall();
    work::tell(&format!(
        "epoch {number}: training loss {:.4}, validation loss {:.4}, mean IoU {:.3}, {:.0} s",
        epoch.training_loss, epoch.validation_loss, overall.mean_iou, pace.seconds
    ));
}

/// The model of a training, which is written anew whenever there is a better one.
struct Exported<'a> {
    path: PathBuf,
    about: About,
    notes: Vec<(String, String)>,
    chips: &'a Chips,
    plan: &'a Plan,
    made: Made,
}

impl Exported<'_> {
    fn write(&self, weights: &Weights, epoch: &Epoch, number: usize) -> Result<()> {
        let overall = epoch.confusion().overall();
        let (of_loss, detail) = match &self.made.loss {
            Loss::CrossEntropy { weights } => (
                LossKind::CrossEntropy,
                weights.as_ref().map(|w| ("class_weights", json!(w))),
            ),
            Loss::Dice => (LossKind::Dice, None),
            Loss::Focal { gamma } => (LossKind::Focal, Some(("gamma", json!(gamma)))),
        };
        let mut training = Map::from_iter(
            self.notes
                .iter()
                .map(|(name, value)| (name.clone(), json!(value))),
        );
        training.extend([
            ("network".to_string(), json!(self.made.network.to_string())),
            ("loss".to_string(), json!(of_loss.name())),
            ("epoch".to_string(), json!(number)),
            ("validation_loss".to_string(), json!(epoch.validation_loss)),
            ("validation_accuracy".to_string(), json!(overall.accuracy)),
            ("validation_mean_iou".to_string(), json!(overall.mean_iou)),
            ("seed".to_string(), json!(self.made.seed)),
        ]);
        training.extend(detail.map(|(name, value)| (name.to_string(), value)));
        let file = onnx::write(self.plan, weights, &self.chips.metadata(training, &self.about))?;
        files::write_whole(&self.path, &file)?;
        provenance::write_beside(&self.path)
    }
}

/// What a training has come to.
struct Training(Report);

bind_class!(Training);

impl Class for Training {
    const NAME: &'static str = "Training";

    fn define(c: &mut Builder<Self>) {
        c.field("history", |_, this| this.0.history())
            .field("classes", |_, this| this.0.by_class())
            .field("best", |_, this| Ok(this.0.best))
            .field("epochs", |_, this| Ok(this.0.epochs.len()))
            .field("mean_iou", |_, this| {
                Ok(this.0.best().map(|e| e.confusion().overall().mean_iou))
            })
            .field("waited", |_, this| Ok(this.0.waited()))
            .method_with("plot(options?)", |_, this, _, o: Size| {
                let mut figure = this.0.figure()?;
                o.apply(&mut figure);
                Ok(FigureHandle::new(figure))
            })
            .text(|this| this.0.line())
            .show(|_, this| {
                let page = this.0.by_class()?;
                Ok(Display::new(this.0.listing()?).with(Form::Html, move || Ok(Some(page.html().into()))))
            });
    }
}
