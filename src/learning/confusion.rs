//! Counts of pixels by what they are and what they were taken for, and the measures made of them.

/// Pixels by class of their label (rows) and of the prediction (columns).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confusion {
    classes: usize,
    counts: Vec<u64>,
}

/// Of one class. Where nothing can be said (a share of no pixels) it is NaN, not 0 or 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassMeasures {
    /// Of the pixels predicted as the class, the share that are it: the user's accuracy.
    pub precision: f64,
    /// Of the pixels of the class, the share predicted as it: the producer's accuracy.
    pub recall: f64,
    /// Harmonic mean of the two; the Dice coefficient.
    pub f1: f64,
    /// Intersection over union; the Jaccard index.
    pub iou: f64,
}

/// Of all classes together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OverallMeasures {
    /// The share of pixels with the right class.
    pub accuracy: f64,
    /// Agreement beyond that of chance (Cohen 1960, doi:10.1177/001316446002000104); NaN where chance agrees everywhere.
    pub kappa: f64,
    /// Means over the classes for which the measure is defined.
    pub mean_f1: f64,
    pub mean_iou: f64,
}

impl Confusion {
    pub fn new(classes: usize) -> Confusion {
        Confusion {
            classes,
            counts: vec![0; classes * classes],
        }
    }

    pub fn classes(&self) -> usize {
        self.classes
    }

    pub fn add(&mut self, label: usize, prediction: usize, pixels: u64) {
        self.counts[label * self.classes + prediction] += pixels;
    }

    pub fn get(&self, label: usize, prediction: usize) -> u64 {
        self.counts[label * self.classes + prediction]
    }

    /// Adds the counts of another one of as many classes.
    pub fn merge(&mut self, other: &Confusion) {
        for (sum, n) in self.counts.iter_mut().zip(&other.counts) {
            *sum += n;
        }
    }

    pub fn pixels(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Pixels that are of a class.
    pub fn labelled(&self, class: usize) -> u64 {
        (0..self.classes).map(|p| self.get(class, p)).sum()
    }

    /// Pixels that were taken for a class.
    pub fn predicted(&self, class: usize) -> u64 {
        (0..self.classes).map(|l| self.get(l, class)).sum()
    }

    pub fn class(&self, class: usize) -> ClassMeasures {
        let (hits, labelled, predicted) = (
            self.get(class, class) as f64,
            self.labelled(class) as f64,
            self.predicted(class) as f64,
        );
        // 0 / 0 is NaN, which is what is meant.
        ClassMeasures {
            precision: hits / predicted,
            recall: hits / labelled,
            f1: 2.0 * hits / (labelled + predicted),
            iou: hits / (labelled + predicted - hits),
        }
    }

    pub fn overall(&self) -> OverallMeasures {
        let pixels = self.pixels() as f64;
        let classes = || 0..self.classes;
        let accuracy = classes().map(|c| self.get(c, c)).sum::<u64>() as f64 / pixels;
        let share = |n: u64| n as f64 / pixels;
        let chance: f64 = classes()
            .map(|c| share(self.labelled(c)) * share(self.predicted(c)))
            .sum();
        let mean = |of: &dyn Fn(ClassMeasures) -> f64| {
            let defined = classes().map(|c| of(self.class(c))).filter(|v| !v.is_nan());
            let (sum, n) = defined.fold((0.0, 0.0), |(sum, n), v| (sum + v, n + 1.0));
            sum / n
        };
        OverallMeasures {
            accuracy,
            kappa: (accuracy - chance) / (1.0 - chance),
            mean_f1: mean(&|m| m.f1),
            mean_iou: mean(&|m| m.iou),
        }
    }
}
