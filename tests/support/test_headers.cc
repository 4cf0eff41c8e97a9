// Nothing: the target that owns what all test programs parse once needs a file.
