// The HDF5 C API behind owners and exceptions.
#include "sim/core/hdf5_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <type_traits>
#include <utility>

#include <hdf5.h>

#include "sim/core/error.h"

namespace tangram {
namespace {

static_assert(std::is_same_v<hid_t, std::int64_t> && std::is_same_v<herr_t, int>);

constexpr hsize_t kLongestUnchunked = 1024;
constexpr hsize_t kChunkBytes = 1 << 18;
constexpr std::size_t kLongestAttribute = 1 << 16;  // what HDF5 itself allows

// The library prints its error stack to standard error unless told not to; told so only while we
// are inside, because the setting belongs to the whole thread.
class QuietErrors {
 public:
  QuietErrors() {
    // A damaged file can leave identifiers behind that the library's own exit handler cannot close
    // and complains about. Every file of ours is closed explicitly; the handler has nothing to do.
    [[maybe_unused]] static const herr_t without_exit_handler = H5dont_atexit();
    H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  ~QuietErrors() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;

 private:
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

template <typename T>
hid_t memory_type() {
  if constexpr (std::is_same_v<T, double>) return H5T_NATIVE_DOUBLE;
  if constexpr (std::is_same_v<T, float>) return H5T_NATIVE_FLOAT;
  if constexpr (std::is_same_v<T, std::uint8_t>) return H5T_NATIVE_UINT8;
  if constexpr (std::is_same_v<T, std::int32_t>) return H5T_NATIVE_INT32;
  if constexpr (std::is_same_v<T, std::uint32_t>) return H5T_NATIVE_UINT32;
  if constexpr (std::is_same_v<T, std::int64_t>) return H5T_NATIVE_INT64;
  if constexpr (std::is_same_v<T, std::uint64_t>) return H5T_NATIVE_UINT64;
}

Hdf5Handle string_type(std::size_t length) {
  Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  if (type.valid()) {
    // A length of 0 is not allowed; UTF-8, padded with zeros.
    H5Tset_size(type.id(), std::max<std::size_t>(length, 1));
    H5Tset_strpad(type.id(), H5T_STR_NULLPAD);
    H5Tset_cset(type.id(), H5T_CSET_UTF8);
  }
  return type;
}

// Makes the group unless it is there. Without time stamps, so that equal data give equal files; the
// library's own making of missing parents would set them.
bool make_group(hid_t file, const std::string& path) {
  if (H5Lexists(file, path.c_str(), H5P_DEFAULT) > 0) return true;
  const Hdf5Handle creation(H5Pcreate(H5P_GROUP_CREATE), H5Pclose);
  if (!creation.valid() || H5Pset_obj_track_times(creation.id(), 0) < 0) return false;
  Hdf5Handle made(H5Gcreate2(file, path.c_str(), H5P_DEFAULT, creation.id(), H5P_DEFAULT),
                  H5Gclose);
  return made.valid() && made.close();
}

// Makes all groups above the object of that path.
bool make_parents(hid_t file, const std::string& path) {
  for (std::size_t end = path.find('/', 1); end != std::string::npos;
       end = path.find('/', end + 1)) {
    if (!make_group(file, path.substr(0, end))) return false;
  }
  return true;
}

// Chunked, shuffled and deflated when long; no time stamps, so that equal data give equal files.
Hdf5Handle dataset_creation(hsize_t count, std::size_t element_size) {
  Hdf5Handle list(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  if (!list.valid()) return list;
  H5Pset_obj_track_times(list.id(), 0);
  if (count > kLongestUnchunked) {
    const hsize_t chunk = std::clamp<hsize_t>(kChunkBytes / element_size, 1, count);
    H5Pset_chunk(list.id(), 1, &chunk);
    H5Pset_shuffle(list.id());
    H5Pset_deflate(list.id(), 4);
    H5Pset_fletcher32(list.id());
  }
  return list;
}

// Puts the values into a new dataset; false on any error.
bool put(
    hid_t file, const std::string& path, hid_t type, hid_t space, hsize_t count, const void* data) {
  const Hdf5Handle creation = dataset_creation(count, H5Tget_size(type));
  if (!creation.valid() || !make_parents(file, path)) return false;
  Hdf5Handle set(
      H5Dcreate2(file, path.c_str(), type, space, H5P_DEFAULT, creation.id(), H5P_DEFAULT),
      H5Dclose);
  if (!set.valid()) return false;
  if (count > 0 && H5Dwrite(set.id(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0) return false;
  return set.close();
}

bool put_attribute(
    hid_t file, const std::string& object, const std::string& name, hid_t type, const void* value) {
  const Hdf5Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  Hdf5Handle attribute(H5Acreate_by_name(file, object.c_str(), name.c_str(), type, space.id(),
                                         H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                       H5Aclose);
  return attribute.valid() && H5Awrite(attribute.id(), type, value) >= 0 && attribute.close();
}

Hdf5Handle create_file(const std::string& path) {
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  const Hdf5Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
  // The 1.10 format has a checksum in every metadata block: damage is found, not followed.
  H5Pset_libver_bounds(access.id(), H5F_LIBVER_V110, H5F_LIBVER_V110);
  H5Pset_obj_track_times(creation.id(), 0);
  return {H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.id(), access.id()), H5Fclose};
}

herr_t collect_name(hid_t, const char* name, const H5L_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

std::string without_padding(std::string_view text) {
  const std::size_t end = text.find('\0');
  return std::string(text.substr(0, end));
}

}  // namespace

Hdf5Handle::Hdf5Handle(Hdf5Handle&& other) noexcept
    : id_(std::exchange(other.id_, -1)), close_(other.close_) {}

Hdf5Handle& Hdf5Handle::operator=(Hdf5Handle&& other) noexcept {
  std::swap(id_, other.id_);
  std::swap(close_, other.close_);
  return *this;
}

bool Hdf5Handle::close() {
  if (id_ < 0) return true;
  const QuietErrors quiet;
  return close_(std::exchange(id_, -1)) >= 0;
}

Hdf5Writer::Hdf5Writer(const std::string& path) : path_(path), target_(path) {
  const QuietErrors quiet;
  file_ = create_file(target_.temporary_path());
  if (!file_.valid()) fail("cannot be created");
}

void Hdf5Writer::fail(const std::string& what) const {
  throw SystemError(path_ + ": " + what);
}

void Hdf5Writer::group(const std::string& path) {
  const QuietErrors quiet;
  const bool is_made = make_parents(file_.id(), path) && make_group(file_.id(), path);
  if (!is_made) fail("the group " + path + " cannot be written");
}

template <typename T>
void Hdf5Writer::write(const std::string& path, std::span<const T> values) {
  const QuietErrors quiet;
  const hsize_t count = values.size();
  const Hdf5Handle space(H5Screate_simple(1, &count, nullptr), H5Sclose);
  if (!put(file_.id(), path, memory_type<T>(), space.id(), count, values.data())) {
    fail("the dataset " + path + " cannot be written");
  }
}
template void Hdf5Writer::write(const std::string&, std::span<const double>);
template void Hdf5Writer::write(const std::string&, std::span<const float>);
template void Hdf5Writer::write(const std::string&, std::span<const std::uint8_t>);
template void Hdf5Writer::write(const std::string&, std::span<const std::int32_t>);
template void Hdf5Writer::write(const std::string&, std::span<const std::uint32_t>);
template void Hdf5Writer::write(const std::string&, std::span<const std::int64_t>);
template void Hdf5Writer::write(const std::string&, std::span<const std::uint64_t>);

void Hdf5Writer::write_strings(const std::string& path,
                               std::span<const std::string_view> values,
                               bool is_scalar) {
  const QuietErrors quiet;
  std::size_t width = 1;
  for (const std::string_view value : values) width = std::max(width, value.size());
  std::string packed(width * values.size(), '\0');
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::copy(values[i].begin(), values[i].end(),
              packed.begin() + static_cast<std::ptrdiff_t>(i * width));
  }
  const hsize_t count = values.size();
  const Hdf5Handle type = string_type(width);
  const Hdf5Handle space(is_scalar ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &count, nullptr),
                         H5Sclose);
  if (!put(file_.id(), path, type.id(), space.id(), count, packed.data())) {
    fail("the dataset " + path + " cannot be written");
  }
}

void Hdf5Writer::write(const std::string& path, const std::vector<std::string>& values) {
  write_strings(path, std::vector<std::string_view>(values.begin(), values.end()), false);
}

void Hdf5Writer::text(const std::string& path, std::string_view value) {
  write_strings(path, std::array<std::string_view, 1>{value}, true);
}

void Hdf5Writer::attribute(const std::string& object,
                           const std::string& name,
                           std::string_view value) {
  const QuietErrors quiet;
  const Hdf5Handle type = string_type(value.size());
  const std::string padded = value.empty() ? std::string(1, '\0') : std::string(value);
  if (!put_attribute(file_.id(), object, name, type.id(), padded.data())) {
    fail("the attribute " + name + " of " + object + " cannot be written");
  }
}

void Hdf5Writer::attribute(const std::string& object, const std::string& name, double value) {
  const QuietErrors quiet;
  if (!put_attribute(file_.id(), object, name, H5T_NATIVE_DOUBLE, &value)) {
    fail("the attribute " + name + " of " + object + " cannot be written");
  }
}

void Hdf5Writer::attribute(const std::string& object,
                           const std::string& name,
                           std::uint64_t value) {
  const QuietErrors quiet;
  if (!put_attribute(file_.id(), object, name, H5T_NATIVE_UINT64, &value)) {
    fail("the attribute " + name + " of " + object + " cannot be written");
  }
}

void Hdf5Writer::copy(const std::string& group,
                      const std::string& source,
                      const std::string& from) {
  const QuietErrors quiet;
  const Hdf5Handle file(H5Fopen(source.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
  const bool is_copied =
      file.valid() && make_parents(file_.id(), group) &&
      H5Ocopy(file.id(), from.c_str(), file_.id(), group.c_str(), H5P_DEFAULT, H5P_DEFAULT) >= 0;
  if (!is_copied) fail("the group " + group + " cannot be copied from " + source);
}

void Hdf5Writer::commit() {
  if (!file_.close()) fail("cannot be finished");
  target_.commit();
}

Hdf5Reader::Hdf5Reader(const std::string& path) : path_(path) {
  const QuietErrors quiet;
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) throw ConfigError(path, "no such file");
  if (std::filesystem::is_directory(status)) throw ConfigError(path, "is a folder, not a file");
  file_ = Hdf5Handle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
  if (!file_.valid()) throw ConfigError(path, "is not a readable HDF5 file, or is damaged");
}

void Hdf5Reader::fail(const std::string& path, const std::string& what) const {
  throw ConfigError(path_ + "#" + path, what);
}

bool Hdf5Reader::has(const std::string& path) const {
  const QuietErrors quiet;
  // Every link on the way has to be asked for: a missing parent is an error to the library.
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (part != "/" && H5Lexists(file_.id(), part.c_str(), H5P_DEFAULT) <= 0) return false;
    if (end == std::string::npos) break;
  }
  return H5Oexists_by_name(file_.id(), path.c_str(), H5P_DEFAULT) > 0;
}

std::vector<std::string> Hdf5Reader::children(const std::string& group) const {
  const QuietErrors quiet;
  std::vector<std::string> names;
  const Hdf5Handle opened(H5Gopen2(file_.id(), group.c_str(), H5P_DEFAULT), H5Gclose);
  if (!opened.valid()) fail(group, "is missing, not a group, or damaged");
  hsize_t position = 0;
  if (H5Literate(opened.id(), H5_INDEX_NAME, H5_ITER_INC, &position, collect_name, &names) < 0) {
    fail(group, "cannot be listed: the file is damaged");
  }
  return names;
}

// Opens a dataset and checks its shape, and that its claimed length can be in the file at all:
// a damaged header must not make us ask for all memory.
Hdf5Handle Hdf5Reader::open_dataset(const std::string& path,
                                    bool is_text,
                                    std::uint64_t& length) const {
  Hdf5Handle set(H5Dopen2(file_.id(), path.c_str(), H5P_DEFAULT), H5Dclose);
  if (!set.valid()) fail(path, "is missing, not a dataset, or damaged");
  const Hdf5Handle space(H5Dget_space(set.id()), H5Sclose);
  const Hdf5Handle type(H5Dget_type(set.id()), H5Tclose);
  const H5T_class_t kind = H5Tget_class(type.id());
  if (is_text && (kind != H5T_STRING || H5Tis_variable_str(type.id()) != 0)) {
    fail(path, "must hold strings of fixed length");
  }
  if (!is_text && kind != H5T_FLOAT && kind != H5T_INTEGER) fail(path, "must hold numbers");
  const hssize_t count = H5Sget_simple_extent_npoints(space.id());
  if (count < 0 || H5Sget_simple_extent_ndims(space.id()) > 1)
    fail(path, "must have one dimension");
  length = static_cast<std::uint64_t>(count);
  // Deflate packs at most about 1032 to 1.
  constexpr std::uint64_t kBestPacking = 1100;
  const std::uint64_t stored = H5Dget_storage_size(set.id());
  const std::uint64_t size = std::max<std::size_t>(H5Tget_size(type.id()), 1);
  if (length > stored * kBestPacking / size) {
    fail(path, "claims more values than the file can hold: the file is damaged");
  }
  return set;
}

template <typename T>
std::vector<T> Hdf5Reader::read(const std::string& path) const {
  const QuietErrors quiet;
  std::uint64_t length = 0;
  const Hdf5Handle set = open_dataset(path, false, length);
  std::vector<T> values(length);
  if (length > 0 &&
      H5Dread(set.id(), memory_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0) {
    fail(path, "cannot be read: the file is damaged");
  }
  return values;
}
template std::vector<double> Hdf5Reader::read(const std::string&) const;
template std::vector<float> Hdf5Reader::read(const std::string&) const;
template std::vector<std::uint8_t> Hdf5Reader::read(const std::string&) const;
template std::vector<std::int32_t> Hdf5Reader::read(const std::string&) const;
template std::vector<std::uint32_t> Hdf5Reader::read(const std::string&) const;
template std::vector<std::int64_t> Hdf5Reader::read(const std::string&) const;
template std::vector<std::uint64_t> Hdf5Reader::read(const std::string&) const;

std::vector<std::string> Hdf5Reader::fixed_strings(const std::string& path, bool is_scalar) const {
  const QuietErrors quiet;
  std::uint64_t length = 0;
  const Hdf5Handle set = open_dataset(path, true, length);
  if (is_scalar && length != 1) fail(path, "must hold one string");
  const Hdf5Handle type(H5Dget_type(set.id()), H5Tclose);
  const std::size_t width = H5Tget_size(type.id());
  std::string packed(width * length, '\0');
  if (length > 0 &&
      H5Dread(set.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, packed.data()) < 0) {
    fail(path, "cannot be read: the file is damaged");
  }
  std::vector<std::string> values;
  for (std::size_t i = 0; i < length; ++i) {
    values.push_back(without_padding(std::string_view(packed).substr(i * width, width)));
  }
  return values;
}

std::vector<std::string> Hdf5Reader::strings(const std::string& path) const {
  return fixed_strings(path, false);
}

std::string Hdf5Reader::text(const std::string& path) const {
  return fixed_strings(path, true).front();
}

std::optional<std::string> Hdf5Reader::string_attribute(const std::string& object,
                                                        const std::string& name) const {
  const QuietErrors quiet;
  if (H5Aexists_by_name(file_.id(), object.c_str(), name.c_str(), H5P_DEFAULT) <= 0) {
    return std::nullopt;
  }
  const Hdf5Handle attribute(
      H5Aopen_by_name(file_.id(), object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT),
      H5Aclose);
  const Hdf5Handle type(H5Aget_type(attribute.id()), H5Tclose);
  const Hdf5Handle space(H5Aget_space(attribute.id()), H5Sclose);
  const bool fits = H5Tget_class(type.id()) == H5T_STRING && H5Tis_variable_str(type.id()) == 0 &&
                    H5Sget_simple_extent_npoints(space.id()) == 1 &&
                    H5Tget_size(type.id()) <= kLongestAttribute;
  if (!fits) fail(object, "attribute " + name + " must be one string of fixed length");
  std::string value(H5Tget_size(type.id()), '\0');
  if (H5Aread(attribute.id(), type.id(), value.data()) < 0) {
    fail(object, "attribute " + name + " cannot be read: the file is damaged");
  }
  return without_padding(value);
}

std::optional<double> Hdf5Reader::number_attribute(const std::string& object,
                                                   const std::string& name) const {
  const QuietErrors quiet;
  if (H5Aexists_by_name(file_.id(), object.c_str(), name.c_str(), H5P_DEFAULT) <= 0) {
    return std::nullopt;
  }
  const Hdf5Handle attribute(
      H5Aopen_by_name(file_.id(), object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT),
      H5Aclose);
  const Hdf5Handle type(H5Aget_type(attribute.id()), H5Tclose);
  const Hdf5Handle space(H5Aget_space(attribute.id()), H5Sclose);
  const H5T_class_t kind = H5Tget_class(type.id());
  const bool fits =
      (kind == H5T_FLOAT || kind == H5T_INTEGER) && H5Sget_simple_extent_npoints(space.id()) == 1;
  double value = 0;
  if (!fits || H5Aread(attribute.id(), H5T_NATIVE_DOUBLE, &value) < 0) {
    fail(object, "attribute " + name + " must be one number");
  }
  return value;
}

}  // namespace tangram
