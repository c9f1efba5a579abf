//! How noise changes along training, in words that mean the same for every task.

use crate::freezing::ScheduleShape;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the noise goes from one strength to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// at once, at the end of the change
    #[default]
    Step,
    /// evenly in time until then
    Linear,
    /// by equal factors in equal times until then
    Exponential,
    /// as half a cosine in time until then
    Cosine,
    /// to and fro, evenly in time, until then
    Cyclic,
    /// by the points of `table` until then
    Table,
}

impl Shape {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::Linear => "linear",
            Self::Exponential => "exponential",
            Self::Cosine => "cosine",
            Self::Cyclic => "cyclic",
            Self::Table => "table",
        }
    }

    /// The shape with the numbers that two of them need: how often the cyclic one goes back, and the points of the table.
    pub(crate) fn with(self, returns: usize, table: &[[f64; 2]]) -> ScheduleShape {
        match self {
            Self::Step => ScheduleShape::Step,
            Self::Linear => ScheduleShape::Linear,
            Self::Exponential => ScheduleShape::Exponential,
            Self::Cosine => ScheduleShape::Cosine,
            Self::Cyclic => ScheduleShape::Cyclic { returns },
            Self::Table => ScheduleShape::Table(table.to_vec()),
        }
    }
}

/// What changes the noise strength Δ = η/2B.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lever {
    /// the batch size: steps stay as long
    #[default]
    BatchSize,
    /// the learning rate: batches stay as large
    LearningRate,
}

impl Lever {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::BatchSize => "batch_size",
            Self::LearningRate => "learning_rate",
        }
    }
}
