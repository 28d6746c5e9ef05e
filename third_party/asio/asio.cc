// The compiled part of Boost.Asio (BOOST_ASIO_SEPARATE_COMPILATION): paid for once instead of in each file.

#include <boost/asio/impl/src.hpp>
