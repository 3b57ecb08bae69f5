"""repogen"""
