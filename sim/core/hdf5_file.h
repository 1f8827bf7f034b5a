// HDF5 files of groups, 1-D datasets and attributes: a small wrapper of the C API, used for profile
// stores and results. Written files are bit-stable: no time stamps, fixed-length strings.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/core/atomic_file.h"

namespace tangram {

// Owns one HDF5 identifier (the library's hid_t) and the function that closes it.
class Hdf5Handle {
 public:
  using Id = std::int64_t;
  using Close = int (*)(Id);
  Hdf5Handle() = default;
  Hdf5Handle(Id id, Close closer) : id_(id), close_(closer) {}
  ~Hdf5Handle() { close(); }
  Hdf5Handle(Hdf5Handle&& other) noexcept;
  Hdf5Handle& operator=(Hdf5Handle&& other) noexcept;
  Id id() const { return id_; }
  bool valid() const { return id_ >= 0; }
  // Closes it now; false when the library reports an error (a full disk shows here).
  bool close();

 private:
  Id id_ = -1;
  Close close_ = nullptr;
};

// The element types of datasets: double, float, std::uint8_t, std::int32_t, std::uint32_t,
// std::int64_t, std::uint64_t (the templates below are instantiated for these) and strings.

// Writes a new file under a temporary name; commit() puts it in place. Paths are "/a/b"; parents
// are made as needed. Every error throws SystemError and leaves the target as it was.
class Hdf5Writer {
 public:
  explicit Hdf5Writer(const std::string& path);

  void group(const std::string& path);
  // Datasets of more than 1024 values are stored in chunks, shuffled and deflated.
  template <typename T>
  void write(const std::string& path, std::span<const T> values);
  void write(const std::string& path, const std::vector<std::string>& values);
  // One long text, as a scalar string: attributes are limited to 64 KiB.
  void text(const std::string& path, std::string_view value);
  // `object` is a group or a dataset that exists; "/" is the root.
  void attribute(const std::string& object, const std::string& name, std::string_view value);
  void attribute(const std::string& object, const std::string& name, double value);
  void attribute(const std::string& object, const std::string& name, std::uint64_t value);
  // Copies a group of the HDF5 file `source` (by default everything in it) into a new group, its
  // attributes included.
  void copy(const std::string& group, const std::string& source, const std::string& from = "/");
  void commit();

 private:
  [[noreturn]] void fail(const std::string& what) const;
  void write_strings(const std::string& path,
                     std::span<const std::string_view> values,
                     bool is_scalar);
  std::string path_;
  AtomicFile target_;
  Hdf5Handle file_;
};

// Reads a file. Every error, a corrupt file's included, throws ConfigError with "FILE#/path".
class Hdf5Reader {
 public:
  explicit Hdf5Reader(const std::string& path);

  const std::string& path() const { return path_; }
  bool has(const std::string& path) const;
  // The names of a group's members, ascending; a fault when the group is missing.
  std::vector<std::string> children(const std::string& group) const;
  // The values of a 1-D dataset (a number's type is converted as HDF5 does).
  template <typename T>
  std::vector<T> read(const std::string& path) const;
  std::vector<std::string> strings(const std::string& path) const;
  std::string text(const std::string& path) const;
  // nullopt when the attribute is not there; a fault when it has another type.
  std::optional<std::string> string_attribute(const std::string& object,
                                              const std::string& name) const;
  std::optional<double> number_attribute(const std::string& object, const std::string& name) const;
  [[noreturn]] void fail(const std::string& path, const std::string& what) const;

 private:
  Hdf5Handle open_dataset(const std::string& path, bool is_text, std::uint64_t& length) const;
  std::vector<std::string> fixed_strings(const std::string& path, bool is_scalar) const;
  std::string path_;
  Hdf5Handle file_;
};

}  // namespace tangram
