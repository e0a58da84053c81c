{ 'includes': ['gen/library.gypi'] }
