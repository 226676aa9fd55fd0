"""What the triggers of AWS Lambda and Huawei FunctionGraph have in common: records, batches, deadlines, and the doors behind a gateway."""
