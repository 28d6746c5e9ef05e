// The compiled part of Boost.JSON for WebAssembly, where no exception can be thrown: what it would throw (a container
// that is too large) is a trap instead.

#include <boost/json/src.hpp>
#include <cstdlib>
#include <exception>

namespace boost {

void throw_exception(const std::exception& /*error*/) { std::abort(); }
void throw_exception(const std::exception& /*error*/, const source_location& /*where*/) { std::abort(); }

}  // namespace boost
