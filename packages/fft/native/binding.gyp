{
  'includes': ['gen/library.gypi']
}
