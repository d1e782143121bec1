#pragma once

namespace tessera {

/// The value below which a share `probability` (0 .. 1) of a symmetric beta distribution lies, both
/// of its shape parameters being `shape` (above 0, at most 100); to about 1e-12.
[[nodiscard]] double beta_quantile(double probability, double shape);

}  // namespace tessera
