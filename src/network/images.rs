//! Labelled images: the embedded digits, or a folder in the manner of MNIST.

use super::idx::{Idx, parse, read_idx};
use crate::error::{Error, Result};
use std::path::{Path, PathBuf};

/// Number of classes.
pub const CLASSES: usize = 10;

/// Grey images with the class of each.
#[derive(Debug, Clone, PartialEq)]
pub struct Images {
    /// Pixels of an image.
    pub pixels: usize,
    /// Value of the brightest pixel there can be.
    pub brightest: f64,
    /// Pixels, image after image.
    pub bytes: Vec<u8>,
    /// Class of each image.
    pub labels: Vec<u8>,
}

const DIGITS: &str = "the embedded digits";

impl Images {
    /// The 1797 handwritten digits of 8 × 8 pixels, each from 0 to 16, in the order of the data set.
    ///
    /// # Errors
    /// [`Error::Input`] never, unless the build embedded a damaged file.
    ///
    /// # References
    /// E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998 (CC BY 4.0).
    ///
    /// # Examples
    /// ```
    /// use freezeout::network::Images;
    /// let digits = Images::digits()?;
    /// assert_eq!((digits.labels.len(), digits.pixels), (1797, 64));
    /// assert_eq!(digits.labels[..12], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
    /// # Ok::<(), freezeout::Error>(())
    /// ```
    pub fn digits() -> Result<Self> {
        let failed = |message: String| Error::Input {
            path: DIGITS.into(),
            message,
        };
        let images = include_bytes!("../../data/input/digits-images-idx3-ubyte.gz");
        let labels = include_bytes!("../../data/input/digits-labels-idx1-ubyte.gz");
        Self::new(
            parse(images, 3).map_err(failed)?,
            parse(labels, 1).map_err(failed)?,
            16.0,
            DIGITS,
        )
    }

    /// The images of one set of a folder: files `SET-images-idx3-ubyte` and `SET-labels-idx1-ubyte`, plain or with `.gz`; pixels from 0 to 255.
    ///
    /// # Errors
    /// [`Error::Input`] naming the file that is missing, damaged, or does not go with the other.
    pub fn read(folder: &Path, set: &str) -> Result<Self> {
        let [images, labels] = image_files(folder, set);
        let path = labels.display().to_string();
        Self::new(read_idx(&images, 3)?, read_idx(&labels, 1)?, 255.0, &path)
    }

    fn new(images: Idx, labels: Idx, brightest: f64, path: &str) -> Result<Self> {
        let failed = |message: String| Error::Input {
            path: path.into(),
            message,
        };
        let count = images.shape[0];
        if labels.bytes.len() != count {
            let got = labels.bytes.len();
            return Err(failed(format!("it holds {got} labels for {count} images")));
        }
        if let Some(k) = labels
            .bytes
            .iter()
            .position(|label| usize::from(*label) >= CLASSES)
        {
            let label = labels.bytes[k];
            return Err(failed(format!(
                "label {label} of image {k} is out of range: 0 to {} are allowed",
                CLASSES - 1
            )));
        }
        if images.bytes.is_empty() {
            return Err(failed("there are no images".into()));
        }
        Ok(Self {
            pixels: images.shape[1] * images.shape[2],
            brightest,
            bytes: images.bytes,
            labels: labels.bytes,
        })
    }
}

/// Files with the images and the labels of a set, plain when there, else with `.gz`.
pub fn image_files(folder: &Path, set: &str) -> [PathBuf; 2] {
    ["images-idx3-ubyte", "labels-idx1-ubyte"].map(|kind| {
        let plain = folder.join(format!("{set}-{kind}"));
        match plain.exists() {
            true => plain,
            false => folder.join(format!("{set}-{kind}.gz")),
        }
    })
}
